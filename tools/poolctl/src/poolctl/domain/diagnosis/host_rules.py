"""Rules about this host and the pool's folder: passwords, files with secrets, disk space."""

from collections.abc import Iterator

from poolctl.domain.diagnosis.facts import Facts
from poolctl.domain.diagnosis.findings import Code, Finding, ok, problem, warning

SHORTEST_PASSWORD = 8
_FULL_BYTES, _LOW_BYTES = 256 << 20, 2 << 30
_FULL_PART, _LOW_PART = 10, 5
"""Of a small volume, a tenth counts as full, and a fifth as low."""
_GIB = 1 << 30


def passwords(facts: Facts) -> Iterator[Finding]:
    """Judge the passwords in the settings."""
    for variable in facts.weak_passwords:
        yield problem(
            "passwords",
            Code.DEFAULT_PASSWORD,
            f"{variable} is a well-known default password, or shorter than {SHORTEST_PASSWORD} characters",
            "anyone with access to the port can spend the pool's money or stop its workers",
            f"write a random one (openssl rand -hex 24) into the file of {variable}_FILE, and restart the services",
        )
    if not facts.weak_passwords:
        yield ok("passwords", "no default password in the settings")


def exposed_files(facts: Facts) -> Iterator[Finding]:
    """Judge the modes of files with secrets."""
    for path, mode in facts.exposed_files.items():
        yield warning(
            "secrets",
            Code.SECRET_EXPOSED,
            f"other users of this host can read {path} (mode {mode})",
            "it holds a password or a key",
            f"chmod 600 {path}",
        )


def volumes(facts: Facts) -> Iterator[Finding]:
    """Judge the free space of the pool's volumes."""
    for volume in facts.volumes:
        told = (
            f"{volume.free_bytes / _GIB:.2f} of {volume.total_bytes / _GIB:.2f} GiB are free at {volume.path}"
        )
        step = "free space (docker system df, docker image prune), or give the volume more"
        if volume.free_bytes < min(_FULL_BYTES, volume.total_bytes // _FULL_PART):
            why = "databases and journals stop when they cannot write"
            yield problem("disk", Code.DISK_FULL, f"the disk is full: {told}", why, step)
        elif volume.free_bytes < min(_LOW_BYTES, volume.total_bytes // _LOW_PART):
            why = "databases and journals stop when it is full"
            yield warning("disk", Code.DISK_FULL, f"the disk is nearly full: {told}", why, step)
        else:
            yield ok("disk", told)
