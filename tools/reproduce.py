"""Show a past bug: run its regression test on the code before the fix, then on the fix.

`make reproduce-N` takes bug N of docs/robustness.toml. It checks out the fix's parent into .cache/reproduce, puts the
fix's tests in, and expects them to fail; then it checks out the fix, and expects the same tests to pass, at the second
try at the latest. Both run with the packages that the fix's own requirements.lock names.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "docs/robustness.toml"
SCRATCH = ROOT / ".cache/reproduce"
TEST_FAILED = 1
"""The exit code of pytest when tests ran and some failed; errors of collection have other codes."""


@dataclass(frozen=True)
class Bug:
    """A past bug: its number, what went wrong, the commit that fixed it, and the tests that show it."""

    number: int
    area: str
    symptom: str
    fix: str
    tests: tuple[str, ...]


class ReproduceError(Exception):
    """The bug could not be shown; the message says why and what to do."""


def read_bugs(path: Path = DATA) -> list[Bug]:
    """Return every recorded bug, by number."""
    entries = tomllib.loads(path.read_text())["bug"]
    return [
        Bug(number, e["area"], e["symptom"], e["fix"], tuple(e["tests"]))
        for number, e in enumerate(entries, 1)
    ]


def robustness_page() -> str:
    """Return docs/robustness.md: the table of past bugs."""
    rows = [
        f"| {b.number} | {b.area} | {b.symptom} | `{b.fix[:10]}` | `make reproduce-{b.number}` |"
        for b in read_bugs()
    ]
    return (
        "# Robustness\n\n"
        "Made by `make docs` from `docs/robustness.toml`; do not edit.\n\n"
        "Each row is a bug that this repository had. Its command runs the regression test on the code before the fix,\n"
        "where it must fail, and on the fix, where it must pass, at the second try at the latest, since its limits\n"
        "are old. It needs the history of git, and a minute.\n\n"
        "| # | area | what went wrong | fixed by | shown by |\n|---|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


def git(*arguments: str, cwd: Path = ROOT) -> str:
    """Run git; return its output. Raises `ReproduceError` with git's last line when it fails."""
    done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tail = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ReproduceError(f"git {arguments[0]} failed: {tail}; a shallow clone lacks the history it needs")
    return done.stdout


def is_test_file(name: str) -> bool:
    """Return whether a file belongs to the tests and not to the code that they test."""
    return "tests" in Path(name).parts[:-1] or Path(name).name == "conftest.py"


def environment(commit: str) -> Path:
    """Return the Python of a virtual environment with the packages that the commit locks; make it when missing."""
    lock = git("show", f"{commit}:requirements.lock")
    folder = SCRATCH / f"python-{hashlib.sha256(lock.encode()).hexdigest()[:12]}"
    python = folder / "bin/python"
    if not (folder / "complete").exists():
        sys.stderr.write("installing the packages that the fix locks (once) …\n")
        SCRATCH.mkdir(parents=True, exist_ok=True)
        requirements = SCRATCH / f"{folder.name}.lock"
        requirements.write_text(lock)
        uv = [sys.executable, "-m", "uv"]
        subprocess.run(
            [*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True
        )
        sync = [*uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(requirements)]
        subprocess.run(sync, check=True)
        (folder / "complete").touch()
    return python


def run_tests(tree: Path, python: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Run tests of a worktree against its own sources; return pytest's exit code and its last line."""
    sources = [p for room in ("libs", "services", "tools") for p in sorted(tree.glob(f"{room}/*/src"))]
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider", *tests],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sources))},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    for line in lines:
        if line.startswith(("FAILED", "ERROR")):
            sys.stdout.write(f"  {line}\n")
    return done.returncode, lines[-1] if lines else done.stderr.strip()[-200:]


def reproduce(bug: Bug) -> None:
    """Run the tests of a bug before and at its fix. Raises `ReproduceError` when either result is unexpected."""
    parent = git("rev-parse", f"{bug.fix}^").strip()
    python = environment(bug.fix)
    tree = SCRATCH / f"bug-{bug.number}"
    if tree.exists():
        git("worktree", "remove", "--force", str(tree))
    git("worktree", "add", "--quiet", "--detach", str(tree), parent)
    try:
        (tree / "node_modules").symlink_to(ROOT / "node_modules")
        changed = git("diff", "--name-only", "--diff-filter=AM", parent, bug.fix).splitlines()
        git("checkout", "--quiet", bug.fix, "--", *(name for name in changed if is_test_file(name)), cwd=tree)
        sys.stdout.write(f"bug {bug.number}: {bug.symptom}\nbefore the fix ({parent[:10]}):\n")
        code, summary = run_tests(tree, python, bug.tests)
        sys.stdout.write(f"  {summary}\n")
        if code != TEST_FAILED or re.search(r"\b\d+ error", summary):
            raise ReproduceError(f"the tests do not fail before the fix: pytest ended with {code}")
        git("checkout", "--quiet", "--force", "--detach", bug.fix, cwd=tree)
        sys.stdout.write(f"at the fix ({bug.fix[:10]}):\n")
        code, summary = run_tests(tree, python, bug.tests)
        if code == TEST_FAILED:
            # The time limits of an old commit cannot be changed, and a busy machine may exceed them.
            sys.stdout.write(f"  {summary}; again, because the limits of that time may be short here:\n")
            code, summary = run_tests(tree, python, bug.tests)
        sys.stdout.write(f"  {summary}\n")
        if code != 0:
            raise ReproduceError(f"the tests do not pass at the fix: pytest ended with {code}")
    finally:
        git("worktree", "remove", "--force", str(tree))
        shutil.rmtree(tree, ignore_errors=True)


def main(arguments: list[str]) -> int:
    """Show the bugs whose numbers are given; return the exit code."""
    bugs = {str(bug.number): bug for bug in read_bugs()}
    if not arguments or not set(arguments) <= set(bugs):
        sys.stderr.write(f"usage: make reproduce-N, with N from 1 to {len(bugs)} (docs/robustness.md)\n")
        return 2
    try:
        for number in arguments:
            reproduce(bugs[number])
    except ReproduceError as error:
        sys.stderr.write(f"not reproduced: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
