"""What tests of processes leave as they found it."""

import os
import signal

import pytest


@pytest.fixture
def own_environment():
    """What is put into the environment for child processes goes again, and how this process is told to stop, too."""
    before, handler = dict(os.environ), signal.getsignal(signal.SIGTERM)
    yield
    os.environ.clear()
    os.environ.update(before)
    signal.signal(signal.SIGTERM, handler)
