"""Fixtures shared by every member: a real database and a real chain; and the figures that tests measured."""

import pytest
from hypothesis import settings

pytest_plugins = ["workerpool_devnet.pytest_plugin"]

# A busy machine stretches single examples; what is slow shows in the durations, not in a deadline.
settings.register_profile("workerpool", deadline=None)
settings.load_profile("workerpool")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests recorded with `record_property("figure", ...)`, in whichever process they ran."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "figure":
                terminalreporter.write_line(f"{value}")
