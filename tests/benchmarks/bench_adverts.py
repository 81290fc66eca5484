"""How well sponsors' messages are found, by sentences: `python -m tests.benchmarks adverts --folder DIR`.

`adverts.tsv` holds a line `half, episode, first word, last word` for each break with messages in 40 episodes of Lenny's
Podcast, drawn by a hash of their names and labelled by reading; words count as in `graded`. The half `tune` is for choosing
rules, `test` for looking at once. One show reads adverts one way: other shows are not measured. What is an advert:

- a message for a sponsor, from its first sentence to its last, also one spoken as an interview with the sponsor;
- a message of three sentences or more for a paid service of the host's own (a job board), since it interrupts just so.

What is none: the request to subscribe, rate, or read the host's newsletter; the sentence that introduces the guest "after a
word from our sponsors"; a guest who tells where to be found; talk of companies, sites or codes.
"""

from collections import defaultdict
from pathlib import Path

from index.chunk import split
from ingest.errors import NotFoundError
from ingest.library import Library
from ingest.models import Transcript
from ingest.transcripts.document import text_body
from tests.benchmarks.measure import Row, row
from tests.benchmarks.questions import tokens

LABELS = Path(__file__).with_name("adverts.tsv")
PRECISION, RECALL = 0.95, 0.8
LABEL = 14  # words of a speaker's name, at most, between two sentences

Words = tuple[int, int]


def read() -> dict[str, dict[str, list[Words]]]:
    """First and last words of the breaks, by half and episode."""
    breaks: dict[str, dict[str, list[Words]]] = defaultdict(lambda: defaultdict(list))
    for line in LABELS.read_text().splitlines():
        half, episode, first, last = line.split("\t")
        breaks[half][episode].append((int(first), int(last)))
    return breaks


def judged(transcript: Transcript, breaks: list[Words]) -> list[tuple[str, bool, bool]]:
    """Each sentence with whether it was found to be an advert, and whether it is one: most of its words are."""
    whole, sentences, place = tokens(text_body(transcript.turns)), [], 0
    for chunk in split(transcript, lambda text: len(text) // 4 + 1, 10**9, 0):
        for text, span in zip(chunk.quotes(), chunk.sentences, strict=True):
            said = tokens(text)
            place = next((at for at in range(place, place + LABEL) if whole[at : at + len(said)] == said), place)
            shared = sum(max(0, min(last + 1, place + len(said)) - max(first, place)) for first, last in breaks)
            sentences.append((text, span.advert, 2 * shared > len(said)))
            place += len(said)
    return sentences


def run(library: Library) -> list[Row]:
    """Precision and recall of both halves; nothing over another library."""
    rows = []
    for half, episodes in read().items():
        found = right = there = 0
        for episode, breaks in episodes.items():
            try:
                transcript = library.read(library.find(episode).name)
            except NotFoundError:
                return []
            marks = [(mark, label) for _, mark, label in judged(transcript, breaks)]
            found += sum(mark for mark, _ in marks)
            there += sum(label for _, label in marks)
            right += sum(mark and label for mark, label in marks)
        beside = f"{there} sentences in {len(episodes)} episodes"
        rows.append(row(f"adverts, {half} half: precision", right / max(1, found), beside, least=PRECISION, unit=""))
        rows.append(row(f"adverts, {half} half: recall", right / there, beside, least=RECALL, unit=""))
    return rows
