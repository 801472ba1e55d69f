"""No broad handler swallows a cancellation or the end of the process: it cleans up and raises again."""

import ast
from collections.abc import Iterator

import pytest
from architecture.tree import source_modules

ALLOWED = {
    "workerpool_kit.runtime.threads": "passes every error to the awaited future, since a thread has no caller",
}


def _swallowing(tree: ast.AST) -> Iterator[int]:
    """Yield the line of each handler of every exception that may end without a bare `raise`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and (node.type is None or _is_broad(node.type)):
            last = node.body[-1]
            if not isinstance(last, ast.Raise) or last.exc is not None or _leaves_early(node):
                yield node.lineno
        if isinstance(node, ast.Call) and _is_suppress(node.func) and any(map(_is_broad, node.args)):
            yield node.lineno


def _is_broad(kind: ast.expr) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "BaseException" for each in ast.walk(kind))


def _is_suppress(function: ast.expr) -> bool:
    return "suppress" in (getattr(function, "attr", ""), getattr(function, "id", ""))


def _leaves_early(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Return | ast.Continue | ast.Break) for node in ast.walk(handler))


def _found() -> dict[str, list[int]]:
    found = {
        name: list(_swallowing(ast.parse(path.read_text(), str(path))))
        for name, path in source_modules().items()
    }
    return {name: lines for name, lines in found.items() if lines}


def test_every_broad_handler_raises_again() -> None:
    swallowing = {name: lines for name, lines in _found().items() if name not in ALLOWED}
    assert not swallowing, "end these handlers with `raise`, or catch the errors that are expected"


def test_the_list_of_reasons_has_no_stale_entry() -> None:
    assert ALLOWED.keys() <= _found().keys()


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    f()\nexcept BaseException:\n    g()",
        "try:\n    f()\nexcept:\n    g()",
        "try:\n    f()\nexcept (OSError, BaseException):\n    g()",
        "try:\n    f()\nexcept BaseException as e:\n    raise OSError from e",
        "def h():\n    try:\n        f()\n    except BaseException:\n        if x:\n            return\n        raise",
        "with contextlib.suppress(BaseException):\n    f()",
    ],
)
def test_a_handler_that_swallows_is_found(code: str) -> None:
    assert list(_swallowing(ast.parse(code)))


def test_a_handler_that_raises_again_is_allowed() -> None:
    code = "try:\n    f()\nexcept BaseException:\n    g()\n    raise"
    assert not list(_swallowing(ast.parse(code)))
