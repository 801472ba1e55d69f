"""The repository's modules and their imports, read from the source text."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "workerpool_kit",
    "workerpool_poco",
    "workerpool_registry",
    "workerpool_sms",
    "workerpool_chain_adapter",
    "workerpool_result_proxy",
    "workerpool_order_publisher",
    "workerpool_core",
    "workerpool_worker",
    "workerpool_devnet",
    "poolctl",
    "workerpool_client",
)
"""Every package of ours that is not generated."""


def source_folders() -> list[Path]:
    """Return the `src` folder of each member, without the generated stubs."""
    members = (
        p
        for room in ("libs", "services", "tools", "clients")
        for p in sorted((ROOT / room).glob("*/src"))
        if (p.parent / "pyproject.toml").exists()
    )
    return [folder for folder in members if folder.parent.name != "protocol"]


@cache
def source_modules() -> dict[str, Path]:
    """Return each module of the source folders: dotted name to file."""
    return {
        ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__"): path
        for folder in source_folders()
        for path in sorted(folder.rglob("*.py"))
    }


def files_of_tests() -> list[Path]:
    """Return every Python file below a `tests` folder."""
    rooms = [folder.parent / "tests" for folder in source_folders()]
    return [
        path for room in (*rooms, ROOT / "tools/tests", ROOT / "tests") for path in sorted(room.rglob("*.py"))
    ]


def imported_names(path: Path) -> Iterator[str]:
    """Yield each dotted name that a file imports; `from a import b` yields `a` and `a.b`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def has_logic(path: Path) -> bool:
    """Return whether a module holds a function or method with a body of its own."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
            not isinstance(s, ast.Pass)
            and not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
            for s in node.body
        ):
            return True
    return False


def listed(name: str) -> set[str]:
    """Return the lines of a list of exemptions beside this file; such a list only shrinks."""
    path = Path(__file__).with_name(name)
    lines = path.read_text().splitlines() if path.exists() else []
    return {line for line in lines if line and not line.startswith("#")}
