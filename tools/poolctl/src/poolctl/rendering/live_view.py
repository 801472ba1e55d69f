"""The screen of `poolctl top`."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text
from workerpool_kit.text.printable import printable

from poolctl.domain.texts import age, short
from poolctl.rendering.pool_views import worker_state
from poolctl.rendering.tables import cell, note, table

if TYPE_CHECKING:
    from rich.console import RenderableType

_FINAL = ("COMPLETED", "FAILED")
_FRAME_LINES = 8
_MOST = 1_000


def live_view(document: Mapping[str, Any], now: float, height: int | None) -> Iterator["RenderableType"]:
    """Show the pool, its workers and its live tasks, as many as fit; None shows all."""
    pool, workers, tasks = document["pool"], document["workers"], document["tasks"]
    room = _MOST if height is None else max((height - _FRAME_LINES) // 2, 3)
    yield _head(pool, now)
    for problem in pool.get("problems", ()):
        yield note(f"! {problem.get('sentence', '')}", "bold red")
    busiest = sorted(workers, key=lambda each: (-each["used_slots"], each["name"]))
    yield Text()
    yield table(
        ("WORKER", "NAME", "STATE", "SLOTS", "SEEN", "WHY"),
        (
            (
                short(each["wallet_address"]),
                each["name"],
                worker_state(each, now),
                f"{each['used_slots']}/{each['slots']}",
                age(each["last_seen_at"], now),
                (each.get("reason") or {}).get("code") or each["parked_reason"],
            )
            for each in busiest[:room]
        ),
        numbers=("SLOTS", "SEEN"),
    )
    yield _more(len(workers), room, "workers")
    yield table(
        ("TASK", "STATUS", "SINCE", "APP", "WHY"),
        (
            (
                short(each["task_id"]),
                cell(each["status"]),
                age((each["history"] or [{}])[-1].get("date"), now),
                each["app_uri"],
                (each.get("reason") or {}).get("sentence") or each["waiting_reason"],
            )
            for each in tasks[:room]
        ),
        numbers=("SINCE",),
    )
    yield _more(len(tasks), room, "tasks")


def _head(pool: Mapping[str, Any], now: float) -> Text:
    by_status = pool["tasks_by_status"]
    live = sum(number for name, number in by_status.items() if name not in _FINAL)
    clock = datetime.fromtimestamp(now, UTC).strftime("%H:%M:%S")
    line = Text(f"{clock} UTC  ", style="dim")
    line.append(
        f"{pool['alive_workers']} workers, {pool['computing_cpus']}/{pool['registered_cpus']} CPUs  ", "bold"
    )
    line.append(f"{live} tasks live, ", "")
    line.append(f"{by_status.get('COMPLETED', 0)} completed, ", "green")
    line.append(f"{by_status.get('FAILED', 0)} failed  ", "red" if by_status.get("FAILED") else "")
    line.append(f"block {pool['latest_block']}, {pool['latest_block'] - pool['cursor_block']} unread", "dim")
    return line


def _more(total: int, room: int, noun: str) -> Text:
    return note(f"and {total - room} more {noun}" if total > room else "" if total else f"no {noun}")


def outage_view(message: str, next_step: str) -> Iterator["RenderableType"]:
    """Show that core does not answer."""
    yield Text(printable(message), style="bold red")
    yield note(next_step)
