"""The content of an error result for the requester."""

from collections.abc import Iterable
from dataclasses import dataclass

from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """A failure for which the requester's app, data or parameters are at fault.

    Status, cause and exit code are equal on all workers that fail alike and make up the digest. The message and the
    limits may differ by host.
    """

    status: ReplicateStatus
    cause: ReplicateStatusCause
    message: str
    exit_code: int | None = None
    """Exit code of the app; None if it did not run."""
    limits: tuple[str, ...] = ()
    """The limits of the execution, one sentence each."""

    def text(self) -> str:
        """Return the content of `error.txt`. Its first line is that of the protocol (worker spec A.7)."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterable[str]:
        yield (
            "[IEXEC] Errors occurred while computing the task "
            f"[error:{self.status.value}, causes:[{self.cause.value}]]"
        )
        yield f"status: {self.status.value}"
        yield f"cause: {self.cause.value}"
        yield f"exit code: {'none, the app did not run' if self.exit_code is None else self.exit_code}"
        yield f"message: {self.message}"
        for limit in self.limits:
            yield f"limit: {limit}"
