"""The command line of an app: split the way the protocol's workers do, shell-like and never failing."""

_ESCAPABLE_IN_DOUBLE_QUOTES = frozenset('"\\')


def split(text: str) -> list[str]:
    r"""Split a command line into arguments.

    Blanks separate; single quotes keep everything, double quotes keep everything but ``\"`` and ``\\``; outside
    quotes a backslash keeps the next character. An unclosed quote reaches to the end: the text comes from a
    requester's deal, and no text may break a worker. Nothing is expanded.
    """
    arguments: list[str] = []
    current: list[str] = []
    started = False
    quote = ""
    characters = iter(range(len(text)))
    for position in characters:
        char = text[position]
        following = text[position + 1 : position + 2]
        if quote:
            if char == quote:
                quote = ""
            elif char == "\\" and quote == '"' and following in _ESCAPABLE_IN_DOUBLE_QUOTES:
                current.append(following)
                next(characters)
            else:
                current.append(char)
        elif char.isspace():
            if started:
                arguments.append("".join(current))
                current, started = [], False
        else:
            started = True
            if char in ("'", '"'):
                quote = char
            elif char == "\\" and following:
                current.append(following)
                next(characters)
            else:
                current.append(char)
    if started:
        arguments.append("".join(current))
    return arguments
