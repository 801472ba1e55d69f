"""Settings of a worker on a host of tests, and findings by their subject."""

from collections.abc import Callable, Iterable

from workerpool_worker.domain.diagnosis.findings import Finding
from workerpool_worker.settings import WorkerSettings

PASSWORD = "correct horse"

HostSettings = Callable[..., WorkerSettings]
"""Makes settings; keyword arguments are variables."""


def by_subject(findings: Iterable[Finding]) -> dict[str, Finding]:
    """Return findings by subject; of two with one subject the last."""
    return {each.subject: each for each in findings}
