"""CPU time of one call, whatever else the process and the machine are at."""

import gc
import time


def cpu_seconds(call, *arguments):
    """Seconds of this thread alone: a server of another test may still be at work beside it.

    Garbage is not collected meanwhile: late in the suite one pass over all that lives takes half a second.
    """
    gc.disable()
    try:
        began = time.thread_time()
        call(*arguments)
        return time.thread_time() - began
    finally:
        gc.enable()
