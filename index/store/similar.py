"""Episodes about the same things: those whose chunks are nearest to the mean of an episode's."""

from collections import defaultdict

import numpy as np

from index.store.generations import Tables
from index.store.schema import quoted

LOOKED_AT = 300  # nearest chunks; of 4,300 they are of about forty episodes
BEST = 3  # chunks of an episode that count, so that one stray remark makes none similar


async def similar_episodes(tables: Tables, key: str, limit: int) -> list[tuple[str, float]]:
    """Keys of the most similar other episodes with their similarity (mean cosine), best first; none for an unknown key."""
    where = f"key = {quoted(key)}"
    own = await tables.chunks.query().where(where).select(["vector"]).to_arrow()
    if not len(own):
        return []
    mean = np.asarray(own["vector"].to_pylist(), np.float32).mean(0)
    search = tables.chunks.query().nearest_to(mean).distance_type("cosine").where(f"NOT ({where})")
    found = await search.select(["key", "_distance"]).limit(LOOKED_AT).to_arrow()
    cosines: dict[str, list[float]] = defaultdict(list)
    for other, distance in zip(found["key"].to_pylist(), found["_distance"].to_pylist(), strict=True):
        cosines[other].append(1 - distance)
    scored = {other: sum(near[:BEST]) / BEST for other, near in cosines.items()}  # in falling order already
    return sorted(scored.items(), key=lambda one: (-one[1], one[0]))[:limit]
