"""How much an app may print: an allowance at any speed, beyond it a fixed rate."""

from dataclasses import dataclass

OUTPUT_ALLOWANCE_BYTES = 32 << 20
"""More than the engine keeps of an app's output, so that an app that exceeds it has lost its oldest output anyway."""


@dataclass(slots=True)
class OutputAllowance:
    """What one app may print. `now` is the time in seconds of a clock that never goes back."""

    bytes_per_s: int
    now: float
    left: float = OUTPUT_ALLOWANCE_BYTES

    def spend(self, size: int, now: float) -> None:
        """Count `size` bytes that were printed until `now`."""
        earned = (now - self.now) * self.bytes_per_s
        self.left = min(self.left + earned, OUTPUT_ALLOWANCE_BYTES) - size
        self.now = now

    @property
    def is_exceeded(self) -> bool:
        """Whether the app must wait before it prints more."""
        return self.left < 0
