"""A person who waits is told the stages of a step: once each where nobody watches, on the bar where somebody does."""

from io import StringIO

import pytest
from rich.console import Console
from rich.progress import Progress

from flows.progress import Reporter

STAGES = [
    ([(1, 2, ""), (2, 2, "")], []),
    ([(1, 2, ""), (0, 2, "telling voices apart"), (1, 2, "telling voices apart")], ["telling voices apart"]),
    ([(0, None, "first"), (0, None, "second"), (1, None, "second")], ["first", "second"]),
]


@pytest.mark.parametrize(("told", "stages"), STAGES)
def test_each_stage_is_one_line_where_nobody_watches(capsys, told, stages):
    with Reporter(None).step("Calls: transcribing") as advance:
        for one in told:
            advance(*one)
    said = ["Calls: transcribing", *(f"Calls: transcribing: {stage}" for stage in stages)]
    assert said == capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(("told", "stages"), STAGES)
def test_the_bar_shows_the_stage_and_how_far_it_is(told, stages):
    with Progress(console=Console(file=StringIO())) as bar, Reporter(bar).step("[red]: transcribing") as advance:
        for one in told:
            advance(*one)
        (job,) = bar.tasks
        assert (job.completed, job.total) == told[-1][:2]
        assert job.description == r"\[red]: transcribing" + "".join(f": {stage}" for stage in stages[-1:])
