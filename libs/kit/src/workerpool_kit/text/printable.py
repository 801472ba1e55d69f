"""Text of others, such as names, messages and output of apps, made safe for a terminal."""

_ESCAPES = {"\n": " ", "\r": " ", "\t": " "}


def printable(text: str) -> str:
    """Return a text as one line that cannot steer a terminal: services, apps and workers wrote parts of it."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _ESCAPES.get(each, f"\\x{ord(each):02x}") for each in text)


def printable_block(text: str) -> str:
    """Return a text of several lines, such as an app's output, that cannot steer a terminal."""
    return "\n".join(
        "".join(each if each.isprintable() or each == "\t" else f"\\x{ord(each):02x}" for each in line)
        for line in text.split("\n")
    )
