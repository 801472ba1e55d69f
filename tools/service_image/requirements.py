"""The part of requirements.lock that a package uses, with its hashes.

uv writes under each package which others require it (`# via`), so the lock file holds the whole graph.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

_START = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==")
_PARENT = re.compile(r"\s+#\s+(?!via$)(?:via\s+)?(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)$")


class LockError(Exception):
    """The lock file lacks a requested package; the message names it."""


@dataclass(frozen=True)
class Locked:
    """One entry of a lock file. Equal names may have several, for different systems."""

    name: str
    parents: frozenset[str]
    """The packages that require it directly."""
    text: str
    """Its lines without the comments: version, marker, hashes."""


def entries(lock: str) -> Iterator[Locked]:
    """Yield the entries of a lock file."""
    block: list[str] = []
    for line in lock.splitlines():
        if _START.match(line) and block:
            yield _entry(block)
            block = []
        if block or _START.match(line):
            block.append(line)
    if block:
        yield _entry(block)


def _entry(block: list[str]) -> Locked:
    start = _START.match(block[0])
    assert start is not None
    comments = [line for line in block if line.lstrip().startswith("#")]
    parents = frozenset(found["name"] for line in comments if (found := _PARENT.match(line)))
    text = "\n".join(line for line in block if line not in comments)
    return Locked(start["name"], parents, text.rstrip("\\ \n"))


def used_by(lock: str, packages: Collection[str]) -> list[Locked]:
    """Return the entries that `packages` require, also through others, in the order of the lock file.

    `packages` are names of this workspace or of the lock file; the latter are returned too.
    """
    locked = list(entries(lock))
    names = set(packages)
    while more := {each.name for each in locked if each.parents & names} - names:
        names |= more
    return [each for each in locked if each.name in names]


def requirements(lock_file: Path, own: Collection[str], required: Collection[str]) -> str:
    """Return a requirements file, for an installer that checks hashes and resolves nothing.

    Args:
        lock_file: the lock file.
        own: packages of this workspace, which the file must not hold.
        required: what they require of others, such as `grpcio>=1.80`.

    Raises:
        LockError: the lock file lacks one of these.
    """
    lock = lock_file.read_text(encoding="utf-8")
    direct = {_canonical(each) for each in required}
    if missing := sorted(direct - {each.name for each in entries(lock)}):
        raise LockError(f"{lock_file.name} does not hold {', '.join(missing)}: run `make lock`")
    return "".join(f"{each.text}\n" for each in used_by(lock, {*own, *direct}))


def _canonical(requirement: str) -> str:
    """Return the name in a requirement as the lock file spells it (PEP 503)."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()
