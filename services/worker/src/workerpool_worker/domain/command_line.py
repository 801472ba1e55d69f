"""Splitting of an app's command line (worker spec A.9), as the protocol's workers split it."""

_QUOTES = ("'", '"')


def split(text: str) -> list[str]:
    """Return the arguments of a command line.

    Only the space separates arguments. Single and double quotes group characters and vanish, and so does an argument
    without characters. A backslash is a character like any other. Nothing is expanded. A quote without its end makes
    the whole text unusable: there are no arguments. The results of a task's workers are compared, so all of them must
    split alike.
    """
    arguments: list[str] = []
    current: list[str] = []
    quote = ""
    for char in text:
        if quote:
            if char == quote:
                quote = ""
            else:
                current.append(char)
        elif char in _QUOTES:
            quote = char
        elif char != " ":
            current.append(char)
        elif current:
            arguments.append("".join(current))
            current = []
    if quote:
        return []
    if current:
        arguments.append("".join(current))
    return arguments
