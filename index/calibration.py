"""Cosines of any embedding model on one scale, that of the default model: from those of sixteen questions and passages.

Cosines of unrelated texts are around 0 for some models and around 0.7 for others, and lie more or less closely together.
So the weights and the threshold of the score, which were measured with the default model, mean a number of standard
deviations above the mean. The threshold that calls 1 of 20 answerable questions weak is then the same within .002 for
all-MiniLM-L6-v2, all-mpnet-base-v2 and granite-embedding-30m-english; with the deviation of unrelated texts alone it was
.485, .614 and .437.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Each question is answered by the passage beside it, and by no other.
PAIRS = (
    ("How do you keep bread from going stale?",
     "A loaf stays fresh longest in a cloth bag. In the refrigerator it dries out within a day."),
    ("Why is the sky red in the evening?",
     "When the sun is low its light crosses more air, and the blue is scattered away before it reaches us."),
    ("What should I pack for a week in the mountains?",
     "Take a warm jacket, dry socks and a paper map. Heavy boots matter more than a heavy rucksack."),
    ("How do I teach a puppy to come when it is called?",
     "Call the young dog by name, reward it at once, and never scold it for having been slow."),
    ("When was the lighthouse built?",
     "The tower by the harbour was finished in the year of the great storm and guided ships for a century."),
    ("How much sleep does a teenager need?",
     "Growing bodies want nine hours of rest, though school often leaves them seven."),
    ("What makes a violin sound warm?",
     "Old spruce and a thin coat of varnish give the instrument its mellow tone."),
    ("Can I pay my taxes in parts?",
     "The revenue office lets you settle what you owe in monthly instalments if you ask before the deadline."),
    ("Why does my bicycle chain slip?",
     "Worn teeth on the sprockets no longer hold the links. Replace both together and oil them."),
    ("Who won the chess game?",
     "White gave up the queen, forced the king into the corner and mated nine moves later."),
    ("How are glaciers formed?",
     "Snow that never melts is pressed into ice by the winters above it, until it flows downhill under its own weight."),
    ("What is the best way to learn a foreign language?",
     "Speak with people every day, make mistakes, and read children's books before you open a grammar."),
    ("Why do bees dance?",
     "By waggling in the hive, workers tell each other how far away the flowers are and in which direction."),
    ("How do I get red wine out of a carpet?",
     "Cover the stain with salt at once, wait until it has soaked up the liquid, and vacuum it away."),
    ("How does a vaccine work?",
     "The injection shows the immune system a harmless piece of a virus, so that it recognises the real one later."),
    ("What did tickets to the theatre cost?",
     "A seat in the gallery was sold for a penny, and a cushion to sit on through the play for another."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CosineScale:
    """Mean and standard deviation of a model's cosines between all questions and all passages of `PAIRS`."""

    mean: float
    deviation: float

    def calibrated(self, cosines: Floats) -> Floats:
        """The cosines that the default model would give to what is as near."""
        return (cosines - self.mean) * (DEFAULT_SCALE.deviation / self.deviation) + DEFAULT_SCALE.mean


DEFAULT_SCALE = CosineScale(0.066143, 0.129180)  # all-MiniLM-L6-v2


def cosine_scale(questions: Floats, passages: Floats) -> CosineScale:
    """The scale of a model that gives these vectors to `PAIRS`' questions and passages."""
    cosines = questions @ passages.T
    return CosineScale(float(cosines.mean()), max(float(cosines.std()), 1e-6))
