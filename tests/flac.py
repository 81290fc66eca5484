"""Writes sound that tests and benchmarks make."""

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from ingest.audio.decode import RATE


def write_flac(path: Path, samples: NDArray[np.float32], times: int = 1) -> Path:
    """Write 16 kHz mono FLAC, the same sound so many times; samples lie between -1 and 1."""
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono", format="s16")
        for start in [*range(0, len(samples), RATE)] * times:
            piece = (samples[None, start : start + RATE] * 32_767).astype("int16")
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="s16", layout="mono")
            frame.sample_rate = RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
