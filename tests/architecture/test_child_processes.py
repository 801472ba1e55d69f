"""No child process inherits the environment of a service, which may hold passwords."""

import ast
from collections.abc import Iterator

import pytest
from architecture.tree import source_modules

_STARTS = {"create_subprocess_exec", "create_subprocess_shell", "Popen", "run", "check_call", "check_output"}
_MODULES = {"subprocess", "asyncio"}


def _inheriting(tree: ast.AST) -> Iterator[int]:
    """Yield the line of each start of a process without an environment of its own."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        module = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
        starts = (
            node.func.attr in _STARTS
            and module in _MODULES
            and (module, node.func.attr) != ("asyncio", "run")
        )
        if starts and not any(keyword.arg == "env" for keyword in node.keywords):
            yield node.lineno


def test_every_child_process_has_an_environment_of_its_own() -> None:
    found = {
        name: lines
        for name, path in source_modules().items()
        if not name.startswith("workerpool_devnet")  # it starts the services, and gives each its own
        and (lines := list(_inheriting(ast.parse(path.read_text(), str(path)))))
    }
    assert not found, "pass env=, with no more than the program needs"


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("asyncio.create_subprocess_exec('nft')", [1]),
        ("subprocess.run(['nft'])", [1]),
        ("subprocess.Popen(['nft'], env={})", []),
        ("asyncio.run(main())", []),
    ],
)
def test_a_start_without_an_environment_is_found(code: str, lines: list[int]) -> None:
    assert list(_inheriting(ast.parse(code))) == lines
