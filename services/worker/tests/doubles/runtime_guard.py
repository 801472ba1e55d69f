"""A guard of the runtime that remembers what was lost."""


class RecordingRuntimeGuard:
    """Implements the `RuntimeGuard` port."""

    def __init__(self) -> None:
        self.losses: list[tuple[str, int]] = []
        """Reason and number of GPUs of each start that failed."""

    def lost(self, reason: str, *, gpus: int) -> None:
        self.losses.append((reason, gpus))
