"""The error of the simulation."""


class Violation(AssertionError):
    """The pipeline broke an invariant."""
