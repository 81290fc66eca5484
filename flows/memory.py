"""What a long-lived process does so that its memory stays flat."""

import ctypes
from contextlib import suppress

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of mallopt in glibc's malloc.h
# Blocks from here on are mapped on their own, and so go back to the system as soon as they are freed. glibc raises its
# own bound up to 32 MiB with what is freed; then each of its arenas, eight for a core, keeps its largest use for ever,
# since the threads of a run's steps take one or the other. What is free at the end of an arena goes back from twice as
# much on, which is glibc's own ratio.
OWN_MAPPING = 4 << 20


def keep_flat() -> None:
    """Let glibc give large blocks back; elsewhere nothing is done."""
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL("libc.so.6")
        library.mallopt(M_MMAP_THRESHOLD, OWN_MAPPING)
        library.mallopt(M_TRIM_THRESHOLD, 2 * OWN_MAPPING)
