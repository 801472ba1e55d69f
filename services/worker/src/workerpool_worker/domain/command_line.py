"""Splitting of an app's command line (worker spec A.9)."""

_ESCAPABLE_IN_DOUBLE_QUOTES = frozenset('"\\')


def split(text: str) -> list[str]:
    r"""Return the arguments of a command line.

    White space separates arguments. Single quotes preserve every character. Double quotes preserve every character
    except the escapes `\"` and `\\`. Outside quotes a backslash preserves the next character. An unclosed quote
    extends to the end of the text. No variable, pattern or command is expanded. The text comes from a requester's
    deal, so every text is accepted.
    """
    arguments: list[str] = []
    current: list[str] = []
    started = False
    quote = ""
    positions = iter(range(len(text)))
    for position in positions:
        char = text[position]
        following = text[position + 1 : position + 2]
        if quote:
            if char == quote:
                quote = ""
            elif char == "\\" and quote == '"' and following in _ESCAPABLE_IN_DOUBLE_QUOTES:
                current.append(following)
                next(positions)
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
                next(positions)
            else:
                current.append(char)
    if started:
        arguments.append("".join(current))
    return arguments
