"""Apps that use up the host or look for the pool, and images that cannot start."""

from workerpool_poco.protocol.deal_params import DealParams

from hostile.catalogue.entry import Entry, Ground, Outcome, ends, error_result, succeeds, to_file

MEMORY_MIB = 512
"""Memory of one slot in the run."""
DISK_MIB = 256
"""Disk of one slot in the run."""
_FULL = ("APP_DISK_LIMIT_EXCEEDED", "APP_COMPUTE_FAILED", "RESULT_RULE_BROKEN")
_EMPTY_SHA256 = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


def _looks_for_the_pool(ground: Ground) -> DealParams:
    return DealParams(args=" ".join(["app-reaches-pool", *map(str, ground.pool_ports)]))


def _writes(name: str, command: str, right: Outcome) -> Entry:
    script = f"{command} && echo ok > /iexec_out/r"
    return Entry(name=name, script=script, computed=to_file(), right=right)


ENTRIES = (
    _writes("app-shm", "dd if=/dev/zero of=/dev/shm/x bs=1M count=200 2>/dev/null", succeeds()),
    _writes(
        "app-fills-disk",
        f"dd if=/dev/zero of=/x bs=1M count={4 * DISK_MIB} 2>/dev/null",
        error_result(*_FULL, seconds=10),
    ),
    _writes(
        "app-fills-disk-output",
        f"dd if=/dev/zero of=/iexec_out/x bs=1M count={4 * DISK_MIB} 2>/dev/null",
        error_result(*_FULL, seconds=10),
    ),
    _writes(
        "app-fills-disk-small-files",
        "mkdir /s; cd /s; i=0; while [ $i -lt 60000 ]; do echo > $i || exit 1; i=$((i+1)); done",
        ends(*_FULL, seconds=20),
    ),
    _writes(
        "app-memory",
        f"dd if=/dev/zero of=/dev/null bs={2 * MEMORY_MIB}M count=1 2>/dev/null",
        error_result("APP_OUT_OF_MEMORY", seconds=10),
    ),
    _writes(
        "app-memory-shm",
        f"dd if=/dev/zero of=/dev/shm/x bs=1M count={3 * MEMORY_MIB} 2>/dev/null",
        error_result("APP_OUT_OF_MEMORY", seconds=10),
    ),
    Entry(
        name="app-reaches-pool",
        script="gw=$(ip route | awk '/default/{print $3}'); for h in $gw 169.254.169.254 10.0.0.1; do "
        "for p in $*; do nc -w1 $h $p </dev/null >/dev/null 2>&1 && echo $h $p; done; done > /iexec_out/r; :",
        computed=to_file(),
        params=_looks_for_the_pool,
        category="XS",
        right=succeeds(seconds=60, consensus=lambda: _EMPTY_SHA256),
        weight=0.3,
    ),
    Entry(name="image-user-missing", dockerfile="USER no-such-user", right=error_result("APP_CANNOT_START")),
    Entry(
        name="image-entry-point-missing",
        dockerfile='ENTRYPOINT ["/no/such/program"]',
        right=error_result("APP_CANNOT_START"),
    ),
    Entry(
        name="image-entry-point-folder",
        dockerfile='ENTRYPOINT ["/app"]',
        right=error_result("APP_CANNOT_START"),
    ),
    Entry(
        name="image-entry-point-not-executable",
        dockerfile='ENTRYPOINT ["/app/plain-text"]',
        right=error_result("APP_CANNOT_START", "APP_COMPUTE_FAILED"),
    ),
    Entry(
        name="image-without-entry-point",
        dockerfile="ENTRYPOINT []",
        right=error_result("APP_CANNOT_START", "APP_COMPUTE_FAILED"),
    ),
)
