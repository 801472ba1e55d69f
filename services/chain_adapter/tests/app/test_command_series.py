"""The series of commands."""

import pytest
from prometheus_client import REGISTRY
from workerpool_chain_adapter.app import reconciler  # noqa: F401 (it creates the series)
from workerpool_chain_adapter.domain.command import FINAL_STATES, CommandKind
from workerpool_chain_adapter.metrics import COMMANDS


@pytest.mark.parametrize("kind", CommandKind)
def test_the_series_of_a_kind_exist_before_its_first_command(kind: CommandKind) -> None:
    """An alert on any failed command would miss the first one of a series that starts at 1."""
    for state in FINAL_STATES:
        before = REGISTRY.get_sample_value("iexec_poco_command_total", {"kind": kind, "state": state})
        assert before is not None
        COMMANDS.labels(kind, state).inc()
        after = REGISTRY.get_sample_value("iexec_poco_command_total", {"kind": kind, "state": state})
        assert after == before + 1
