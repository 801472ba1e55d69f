"""The pool and its workers as tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workerpool_kit.text.plurals import counted
from workerpool_kit.text.spans import span

from poolctl.domain.texts import age, moment
from poolctl.rendering.tables import cell, note, pairs, table

if TYPE_CHECKING:
    from rich.console import RenderableType

_FINAL = ("COMPLETED", "FAILED")
_GIB = 1 << 30


def status_view(document: Mapping[str, Any], now: float) -> Iterator["RenderableType"]:
    """Show the summary of the pool, its wallet, and what hinders it."""
    pool = document["pool"]
    by_status = pool["tasks_by_status"]
    live = {name: number for name, number in by_status.items() if number and name not in _FINAL}
    behind = pool["latest_block"] - pool["cursor_block"]
    alive, cpus = pool["alive_workers"], f"{pool['computing_cpus']} of {pool['registered_cpus']}"
    yield pairs(
        [
            ("workerpool", pool["workerpool"]),
            ("owner", pool.get("owner")),
            ("version", pool.get("version")),
            ("workers", f"{alive} alive, {cpus} CPUs compute"),
            (
                "GPUs",
                f"{pool['computing_gpus']} of {pool['registered_gpus']}" if pool["registered_gpus"] else "",
            ),
            ("tasks now", ", ".join(f"{number} {name}" for name, number in live.items()) or "none"),
            ("completed", by_status.get("COMPLETED", 0)),
            ("failed", by_status.get("FAILED", 0)),
            ("deals", pool["deals"]),
            (
                "block",
                f"{pool['latest_block']} ({age(pool['latest_block_time'], now)} ago), {behind} unread",
            ),
        ]
    )
    if wallet := document.get("wallet"):
        yield pairs(_wallet_rows(wallet))
    for problem in pool.get("problems", ()):
        yield note(f"! {problem.get('sentence', '')} {problem.get('next_step', '')}", "bold red")
    for remark in document.get("notes", ()):
        yield note(remark)


def _wallet_rows(wallet: Mapping[str, Any]) -> list[tuple[str, Any]]:
    left = wallet["transactions_left"]
    return [
        ("wallet", wallet["address"]),
        ("gas", "free" if left is None else f"for {left} transactions"),
        (
            "in flight",
            f"{wallet['in_flight']}, the oldest for {span(wallet['oldest_unmined'] or 0)}"
            if wallet["in_flight"]
            else "",
        ),
        ("sends nothing", wallet["parked_reason"]),
    ]


def worker_state(worker: Mapping[str, Any], now: float) -> str:
    """Return in a few words what a worker does."""
    if worker.get("quarantined_until"):
        return f"quarantined{_until(worker['quarantined_until'], now)}"
    if worker.get("drained_until"):
        return f"drained{_until(worker['drained_until'], now)}"
    if not worker.get("connected"):
        return "away"
    if worker.get("parked_reason"):
        return "parked"
    return "computing" if worker.get("used_slots") else "idle"


def _until(text: str, now: float) -> str:
    end = moment(text)
    # An instruction without an end is kept as one in the far future.
    if end is None or end - now > 3_650 * 86_400:
        return ""
    return f", {span(end - now)} left"


def workers_view(document: Sequence[Mapping[str, Any]], now: float) -> Iterator["RenderableType"]:
    """Show workers, one a line."""
    if not document:
        yield note("no worker has registered")
        return
    columns = (
        "WALLET",
        "NAME",
        "STATE",
        "SLOTS",
        "FAILURES",
        "SEEN",
        "VERSION",
        "CPU",
        "MEMORY",
        "GPUS",
        "WHY",
    )
    yield table(
        columns,
        (
            (
                each["wallet_address"],
                each["name"],
                worker_state(each, now),
                f"{each['used_slots']}/{each['slots']}",
                each["consecutive_failures"],
                age(each["last_seen_at"], now),
                each["version"],
                each["cpu"],
                f"{each['memory_bytes'] / _GIB:.0f} GiB",
                each["gpus"] or "",
                (each.get("reason") or {}).get("code") or each["parked_reason"],
            )
            for each in document
        ),
        numbers=("SLOTS", "FAILURES", "SEEN", "MEMORY", "GPUS"),
    )
    yield note(counted(len(document), "worker"))


def worker_view(worker: Mapping[str, Any], now: float) -> Iterator["RenderableType"]:
    """Show one worker."""
    yield pairs(
        [
            ("wallet", worker["wallet_address"]),
            ("name", worker["name"]),
            ("state", cell(worker_state(worker, now))),
            ("slots", f"{worker['used_slots']} of {worker['slots']} in use"),
            ("seen", f"{age(worker['last_seen_at'], now)} ago"),
            ("version", worker["version"]),
            ("host", f"{worker['os']} {worker['cpu']}, {worker['memory_bytes'] / _GIB:.1f} GiB"),
            ("GPUs", worker["gpus"] or ""),
            ("failures in a row", worker["consecutive_failures"] or ""),
            ("parked", worker["parked_reason"]),
            ("tasks", "\n".join(worker["task_ids"])),
        ]
    )
