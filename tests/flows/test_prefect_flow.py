"""Which steps Prefect tries again, how often and for what."""

from dataclasses import fields

import pytest
from prefect.states import Failed

from flows import prefect_flow
from ingest.errors import AudioError, FetchError, TranscriptionError

NETWORK = {"poll", "publisher", "download"}


def steps():
    return {field.name: getattr(prefect_flow.TASKS, field.name) for field in fields(prefect_flow.TASKS)}


def test_only_steps_on_the_network_are_tried_again_with_growing_delays_apart():
    for name, step in steps().items():
        assert (2 if name in NETWORK else 0) == step.retries, name
        assert not step.persist_result
    for name in NETWORK:
        first, second = steps()[name].retry_delay_seconds
        assert (0 < first < second, True) == (True, steps()[name].retry_jitter_factor > 0)


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (FetchError("x", "is busy", 503), True),
        (AudioError("x", "broke off", transient=True), True),
        (FetchError("x", "is not there", 404), False),
        (FetchError("x", "comes back tomorrow", 503, 86_400.0), False),
        (TranscriptionError("x", "is no model"), False),
        (ValueError("nobody foresaw this"), False),
    ],
)
def test_a_step_is_tried_again_only_where_the_network_may_do_better(error, again):
    for name in NETWORK:
        assert again == steps()[name].retry_condition_fn(steps()[name], None, Failed(data=error))
