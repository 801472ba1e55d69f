"""The failure of a check."""


class Violation(AssertionError):
    """A broken invariant."""


def must(condition: object, message: str, *facts: object) -> None:
    """Raise Violation unless a condition holds."""
    if not condition:
        raise Violation(" ".join([message, *map(str, facts)]))
