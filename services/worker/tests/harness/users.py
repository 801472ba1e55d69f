"""A test that acts as a user without root's rights."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker

UNPRIVILEGED = 65534


def why_not() -> str:
    """Return why this process cannot act as another user that reaches the engine; empty if it can."""
    if os.geteuid() != 0:
        return "NOT ROOT: the tests of a worker without root did not run"
    return "" if _socket().exists() else "NO LOCAL ENGINE: the tests of a worker without root did not run"


def _socket() -> Path:
    address = os.environ.get("DOCKER_HOST") or docker.constants.DEFAULT_UNIX_SOCKET
    return Path("/" + address.partition("://")[2].lstrip("/"))


@contextmanager
def without_root() -> Iterator[None]:
    """Let the kernel check this process as a user of the group that may use the engine, until the block ends."""
    groups, group = os.getgroups(), os.stat(_socket()).st_gid
    assert stat.S_ISSOCK(os.stat(_socket()).st_mode)
    os.setgroups([group])
    # The saved ids stay, so that the block can end.
    os.setresgid(group, group, 0)
    os.setresuid(UNPRIVILEGED, UNPRIVILEGED, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
        os.setgroups(groups)
