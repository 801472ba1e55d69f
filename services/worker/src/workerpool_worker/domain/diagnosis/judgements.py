"""Findings about measured values of a host and its wallet."""

from pathlib import Path

from workerpool_poco.protocol.encoding.amounts import coins, rlc
from workerpool_poco.protocol.model import Account
from workerpool_transactions.domain.balance import (
    MIN_TRANSACTIONS,
    is_dry,
    min_balance,
    transactions_left,
)

from workerpool_worker.domain.containers.disk import DiskLimits, DiskUsage
from workerpool_worker.domain.diagnosis.findings import Code, Finding, ok, problem, skipped, warning

_VOLATILE = (Path("/tmp"), Path("/var/tmp"), Path("/run"), Path("/dev/shm"))
_GIB = 1 << 30
INTERNET_REMEDY = (
    "Fix this host's network, DNS or proxy, or name servers that it reaches in "
    "WORKERPOOL_WORKER_DOWNLOAD_REFERENCE_URLS."
)


def version_finding(own: str, required: str, scheduler: str) -> Finding:
    """Judge the version of this worker by what the scheduler requires; empty when it accepts each version."""
    if required and required != own:
        return problem(
            "version",
            Code.WRONG_VERSION,
            f"this is version {own}, and the pool requires {required}",
            f"Install version {required} of the worker.",
        )
    running = f", the scheduler {scheduler}" if scheduler else ""
    return ok("version", f"this is {own}{running}; the pool requires {required or 'no certain version'}")


def stake_finding(account: Account, wallet: str) -> Finding:
    """Judge the stake of the wallet in the hub."""
    held = f"{rlc(account.stake)} free, {rlc(account.locked)} locked"
    if account.stake > 0:
        return ok("stake", held)
    return problem(
        "stake",
        Code.NO_STAKE,
        f"the wallet {wallet} has no free stake in the hub ({held}), so it gets no task with a price",
        "Send the wallet RLC, then run: poolworker stake AMOUNT.",
    )


def gas_finding(balance: int, price: int, wallet: str) -> Finding:
    """Judge the wallet's coins. Amounts in wei, `price` in wei per unit of gas; 0 when gas is free."""
    left = transactions_left(balance, price)
    if left is None:
        return ok("gas", "transactions cost nothing on this chain")
    if not is_dry(balance, price):
        return ok("gas", f"{coins(balance)} pay for {left} transactions at today's price")
    return problem(
        "gas",
        Code.NO_GAS,
        f"the wallet {wallet} has {coins(balance)}, and {MIN_TRANSACTIONS} transactions cost "
        f"{coins(min_balance(price))} at today's price",
        "Send the wallet coins of the chain; the worker takes work by itself once they arrive.",
    )


def disk_finding(place: str, path: Path, free: DiskUsage, limits: DiskLimits) -> Finding:
    """Judge the free space of the file system that holds `path`."""
    room = f"{free.size_bytes / _GIB:.1f} GiB free at {path}"
    if not limits.is_full(free):
        return ok(place, room)
    return problem(
        place,
        Code.DISK_FULL,
        f"{room}, and {limits.floor_bytes / _GIB:.1f} GiB or {limits.floor.files} files must stay free",
        "Free space (docker system df shows what images hold), or lower WORKERPOOL_WORKER_DISK_FLOOR_BYTES.",
    )


def memory_finding(available: int | None, floor_bytes: int) -> Finding:
    """Judge the available memory in bytes; None when no kernel reports it."""
    if available is None:
        return skipped("memory", "a kernel that reports it in /proc/meminfo")
    if available >= floor_bytes:
        return ok("memory", f"{available / _GIB:.1f} GiB are available")
    return problem(
        "memory",
        Code.MEMORY_LOW,
        f"{available >> 20} MiB are available, and {floor_bytes >> 20} MiB must stay so",
        "End programs that need much, or lower WORKERPOOL_WORKER_MEMORY_FLOOR_BYTES; the worker takes work again by "
        "itself.",
    )


def internet_finding(answers: bool) -> Finding:
    """Judge whether a registry or a gateway answers. A host that reaches none may already have all images."""
    if answers:
        return ok("internet", "a registry or a gateway answers")
    return warning(
        "internet",
        Code.INTERNET_UNREACHABLE,
        "no registry and no IPFS gateway answers, so images and data may not come",
        INTERNET_REMEDY,
    )


def place_finding(folder: Path, *, chosen: bool) -> Finding | None:
    """Return a warning for a base folder that a reboot empties, else None; `chosen`: whether the operator set it."""
    if not any(folder.is_relative_to(place) for place in _VOLATILE):
        return None
    how = "" if chosen else " (IEXEC_WORKER_BASE_DIR is not set)"
    return warning(
        "base folder",
        Code.BASE_FOLDER_VOLATILE,
        f"{folder} may be emptied by a reboot{how}: contributions that are not revealed would lose their stake",
        "Set IEXEC_WORKER_BASE_DIR to a folder that survives, such as /var/lib/iexec-worker.",
    )
