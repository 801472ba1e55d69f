"""Tasks, their histories, and explanations as tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text
from workerpool_kit.text.plurals import counted
from workerpool_kit.text.printable import printable, printable_block
from workerpool_kit.text.spans import span

from poolctl.domain.explanations import Explanation
from poolctl.domain.texts import age, clock, moment, short
from poolctl.domain.timeline import TASK, Event, timeline
from poolctl.rendering.tables import cell, note, pairs, table

if TYPE_CHECKING:
    from rich.console import RenderableType


def tasks_view(document: Sequence[Mapping[str, Any]], now: float) -> Iterator["RenderableType"]:
    """Show tasks, one a line."""
    if not document:
        yield note("no task matches")
        return
    yield table(
        ("TASK", "INDEX", "STATUS", "AGE", "TRUST", "APP", "WHY"),
        (
            (
                each["task_id"],
                each["task_index"],
                each["status"],
                age((each["history"] or [{}])[0].get("date"), now),
                each["trust"],
                each["app_uri"],
                _why(each),
            )
            for each in document
        ),
        numbers=("INDEX", "AGE", "TRUST"),
    )
    yield note(counted(len(document), "task"))


def _why(task: Mapping[str, Any]) -> str:
    reason = task.get("reason") or {}
    return str(reason.get("code") or task.get("error_cause") or task.get("waiting_reason") or "")


def task_view(task: Mapping[str, Any], now: float) -> Iterator["RenderableType"]:
    """Show one task with the timeline of every replicate."""
    final = moment(task["final_deadline"])
    yield pairs(
        [
            ("task", task["task_id"]),
            ("deal", f"{task['deal_id']}, index {task['task_index']}"),
            ("status", cell(task["status"])),
            ("app", task["app_uri"]),
            ("arguments", task["command_line"]),
            ("requester", task["requester"]),
            ("trust", task["trust"]),
            ("final deadline", "" if final is None else _deadline(final, now)),
            ("consensus", task["consensus"]),
            ("result", task["result_link"]),
            ("waits", task["waiting_reason"]),
            ("failure", task["error_message"]),
        ]
    )
    yield Text()
    yield timeline_table(timeline(task))
    for replicate in task.get("replicates", ()):
        exit_code = replicate["exit_code"]
        told = "" if exit_code is None else f", exit code {exit_code}"
        logs = ", logs stored" if replicate["logs_present"] else ""
        yield note(f"worker {replicate['wallet_address']}: {replicate['status']}{told}{logs}")


def _deadline(final: float, now: float) -> str:
    return f"in {span(final - now)}" if final > now else f"{span(now - final)} ago"


def timeline_table(events: Sequence[Event]) -> "RenderableType":
    """Return the events of a task, one a line, with causes and transactions."""
    return table(
        ("TIME", "AFTER", "WHO", "STATUS", "CAUSE", "SIDE", "EXIT", "BLOCK", "TRANSACTION", "MESSAGE"),
        (
            (
                clock(each.at),
                f"{each.since_start_s:.1f} s",
                cell(each.who, "bold") if each.who == TASK else short(each.who),
                each.status,
                each.cause,
                each.fault.lower(),
                each.exit_code,
                each.block or "",
                short(each.transaction),
                each.message,
            )
            for each in events
        ),
        numbers=("AFTER", "EXIT", "BLOCK"),
    )


def explanation_view(found: Explanation) -> Iterator["RenderableType"]:
    """Show why something waits or failed: the sentence first."""
    yield Text(printable(found.sentence), style="bold")
    yield pairs(
        [
            (found.subject, found.name),
            ("state", cell(found.state)),
            ("code", found.code),
            ("side", found.side),
            ("cause", found.cause if found.cause != found.code else ""),
            ("changes by", found.until),
            *found.evidence.items(),
            ("next step", found.next_step),
        ]
    )


def log_text(wallet: str, stream: str, text: str) -> Text:
    """Return a piece of an app's output under the name of its worker."""
    return Text(f"--- {short(wallet)} {stream.lower()}\n{printable_block(text)}")
