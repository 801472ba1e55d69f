"""Shared by all tests: fixtures of a real database and a real chain, and the report of measured figures."""

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["workerpool_devnet.pytest_plugin"]

# Single examples take long on a busy machine; `--durations` shows slow tests instead of a deadline.
settings.register_profile("workerpool", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("workerpool")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print every `record_property("figure", ...)` of the tests, from all processes."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "figure":
                terminalreporter.write_line(f"{value}")
