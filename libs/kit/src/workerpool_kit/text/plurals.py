"""Numbers with their nouns."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 worker` or `3 workers`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
