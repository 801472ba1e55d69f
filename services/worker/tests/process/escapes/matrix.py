"""The escape matrix: what apps of strangers try, and the ends that show that each was contained.

Where the catalogue of hostile deals (tests/hostile) has a script for an attempt, that one is used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hostile.catalogue.all import entries

from services.worker.tests.process.escapes.image import SECRET, SETUID_CAT, script_path

PRELUDE = "prelude"
"""Name of the script that the others read."""
ESCAPED, REFUSED = "escaped: ", "refused: "
"""Beginnings of the lines that tell of an attempt."""


@dataclass(frozen=True)
class Targets:
    """What an app looks for on this host."""

    process: int
    engine: str
    """Path of the engine's socket."""
    abstract: str
    """Name of an abstract socket of the host, which has no path and belongs to a network namespace."""
    gateways: tuple[str, ...]
    """A port on the gateway of every bridge, each as `address:port`."""
    services: tuple[str, ...]
    """The ports of the pool's services."""
    metadata: tuple[str, ...]
    """Metadata addresses and private networks; empty where this machine cannot serve them."""
    file: Path


@dataclass(frozen=True, kw_only=True)
class Escape:
    """What an app tries."""

    name: str
    """The words of the matrix."""
    script: str
    arguments: Callable[[Targets], tuple[object, ...]] = lambda _: ()
    causes: frozenset[str] = frozenset()
    """Right causes of an error result. None: the app ends well and tells that each attempt was refused."""
    limit_s: int = 60
    is_root: bool = True
    is_aborted: bool = False
    """Whether the app runs until the scheduler aborts it."""
    is_heavy: bool = False
    """Whether it keeps the machine busy for seconds."""

    @property
    def attempts(self) -> bool:
        """Whether the app tells what became of its attempts."""
        return not (self.causes or self.is_aborted)

    def command_line(self, targets: Targets) -> str:
        """Return the command of the app."""
        return " ".join(["/bin/sh", script_path(self.name), *map(str, self.arguments(targets))])


_PRELUDE = r"""
echo x > /iexec_out/r
echo '{"deterministic-output-path":"/iexec_out/r"}' > /iexec_out/computed.json

# try NAME COMMAND...: run a command and tell whether it succeeded
try() {
    name=$1
    shift
    if "$@" >/dev/null 2>&1; then echo "escaped: $name"; else echo "refused: $name"; fi
}

# reach ADDRESS:PORT...: connect to all of them at once
reach() {
    for target in "$@"; do try "connect to $target" connect "${target%:*}" "${target##*:}" & done
    wait
}

connect() {
    perl -e 'alarm 2; socket(S, 2, 1, 0); exit(!connect(S, pack("SnC4x8", 2, $ARGV[1], split(/[.]/, $ARGV[0]))))' "$@"
}
"""
_PTRACE = r"""
# The number is that of the generic table on all newer processors.
case $(uname -m) in x86_64) ptrace=101 ;; *) ptrace=117 ;; esac
seize() { perl -e 'exit(syscall($ARGV[0] + 0, 0x4206, $ARGV[1] + 0, 0, 0) == -1)' $ptrace "$1"; }
try "see a process of the host" [ -d "/proc/$1" ]
try "trace a process of the host" seize "$1"
try "signal a process of the host" kill -0 "$1"
try "read the environment of a process of the host" head -c 1 "/proc/$1/environ"
"""
_SETUID = rf"""
try "read a file of root" {SETUID_CAT} {SECRET}
try "gain rights by a program" grep -q '^NoNewPrivs:[[:space:]]*0' /proc/self/status
"""
_MKNOD = r"""
try "make a disk" mknod /tmp/disk b 8 0
try "make a disk in a folder of the host" mknod /iexec_out/disk b 8 0
try "make the memory" mknod /tmp/memory c 1 1
"""
_MOUNT = r"""
try "mount a file system" mount -t tmpfs none /mnt
try "mount another /proc" mount -t proc proc /mnt
try "mount a folder of the host elsewhere" mount -o bind /iexec_out /mnt
try "have a user namespace" unshare -U true
try "have a mount namespace" unshare -m true
try "write to a setting of the kernel" dd if=/dev/null of=/proc/sys/kernel/hostname conv=notrunc
"""
_RAW = r"""
try "open a raw socket" perl -e 'exit(!socket(S, 2, 3, 1))'
try "open a packet socket" perl -e 'exit(!socket(S, 17, 3, 768))'
"""
_ENGINE = r"""
unix() { perl -e 'socket(S, 1, 1, 0); exit(!connect(S, pack("S", 1) . $ARGV[0]))' "$1"; }
abstract() { perl -e 'socket(S, 1, 1, 0); exit(!connect(S, pack("S", 1) . "\0" . $ARGV[0]))' "$1"; }
try "see the engine's socket" [ -S "$1" ]
try "connect to the engine" unix "$1"
try "connect to an abstract socket of the host" abstract "$2"
"""
_LINKS = r"""
mkdir /iexec_out/o
cd /iexec_out/o
ln -s /etc/passwd absolute
ln -s ../../../../../../../../etc/passwd relative
ln -s loop loop
ln -s .. parent
ln -s "$1" file-of-the-host
ln -s "${1%/*}" folder-of-the-host
"""
_FIFOS = r"""
rm /iexec_out/computed.json
mkfifo /iexec_out/computed.json /iexec_out/f
mkdir /iexec_out/o
mkfifo /iexec_out/o/f
"""
_CATALOGUE = {entry.name: entry for entry in entries()}
_DISK = frozenset({"APP_DISK_LIMIT_EXCEEDED"})
_RULES = frozenset({"RESULT_RULE_BROKEN", "POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME"})


def _of_catalogue(name: str, entry_name: str, *, limit_s: int = 60, is_heavy: bool = False) -> Escape:
    """Return the escape whose script and right causes are those of an entry of the catalogue."""
    entry = _CATALOGUE[entry_name]
    return Escape(
        name=name, script=entry.script, causes=entry.right.causes, limit_s=limit_s, is_heavy=is_heavy
    )


ESCAPES = (
    _of_catalogue("fork bomb", "app-fork-bomb", limit_s=3, is_heavy=True),
    _of_catalogue("memory hog", "app-memory"),
    # The app prints without end; its rate is limited long before 10 GiB.
    _of_catalogue("10 GiB on stdout", "app-output-without-end", limit_s=4, is_heavy=True),
    Escape(
        name="10 GiB into /iexec_out",
        script="dd if=/dev/zero of=/iexec_out/x bs=1M count=10240",
        causes=_DISK,
    ),
    Escape(name="10 GiB into /", script="dd if=/dev/zero of=/x bs=1M count=10240", causes=_DISK),
    Escape(name="ptrace", script=_PTRACE, arguments=lambda on: (on.process,)),
    Escape(name="setuid", script=_SETUID, is_root=False),
    Escape(name="mknod", script=_MKNOD),
    Escape(name="mount", script=_MOUNT),
    Escape(name="raw sockets", script=_RAW),
    Escape(name="Docker socket", script=_ENGINE, arguments=lambda on: (on.engine, on.abstract)),
    Escape(name="bridge gateway", script='reach "$@"', arguments=lambda on: on.gateways),
    Escape(name="pool services", script='reach "$@"', arguments=lambda on: on.services),
    Escape(name="metadata address", script='reach "$@"', arguments=lambda on: on.metadata),
    Escape(
        name="ignore SIGTERM",
        script="trap '' TERM INT HUP QUIT; while :; do sleep 1; done",
        is_aborted=True,
    ),
    _of_catalogue("past the limit", "app-time-limit", limit_s=2),
    Escape(
        name="100,000 files",
        script="mkdir /iexec_out/o; cd /iexec_out/o; seq 100000 | xargs touch",
        causes=_DISK,
        is_heavy=True,
    ),
    Escape(
        name="hostile names",
        script="\n".join(
            _CATALOGUE[name].script
            for name in (
                "archive-name-newline",
                "archive-name-backslash",
                "archive-name-not-utf-8",
                "archive-name-32",
            )
        ),
        causes=_RULES,
    ),
    Escape(name="symbolic links", script=_LINKS, arguments=lambda on: (on.file,), causes=_RULES),
    Escape(
        name="fifos",
        script=_FIFOS,
        causes=_RULES | {"POST_COMPUTE_COMPUTED_FILE_NOT_FOUND"},
    ),
)


def scripts() -> dict[str, str]:
    """Return the scripts of the image by name."""
    return {PRELUDE: _PRELUDE} | {each.name: f". {script_path(PRELUDE)}\n{each.script}\n" for each in ESCAPES}
