"""The first page: the current state of the pool, and its problems."""

import re
from typing import Any, NamedTuple

from starlette.responses import Response
from workerpool_kit.health import UP, Health
from workerpool_poco.protocol.statuses import FINAL_TASK_STATUSES, TaskStatus

from workerpool_core.api.operator_page.formatting import moment
from workerpool_core.api.operator_page.frame import Frame, Visit
from workerpool_core.api.operator_page.reasons import sentence, shown
from workerpool_core.api.operator_page.rendering import see_other
from workerpool_core.app.queries.pool_view import PoolSummary
from workerpool_core.app.running import Core
from workerpool_core.errors import BadRequest

_TASK_OR_DEAL = re.compile("0x[0-9a-fA-F]{64}")
_WALLET = re.compile("0x[0-9a-fA-F]{40}")
_SHOWN_AS_PROBLEMS = ("adapter", "chain", "database", "proxy", "registry")


class ComponentProblem(NamedTuple):
    """A component of core that is out of service."""

    component: str
    problem: str
    address: str
    variable: str
    next_step: str


class Overview:
    """The overview, and the search field that every page has."""

    def __init__(self, frame: Frame, core: Core, health: Health) -> None:
        self._frame = frame
        self._core = core
        self._health = health

    async def show(self, visit: Visit) -> Response:
        """Show the pool: to anonymous visitors the data of `GET /metrics`, to operators also workers and services."""
        running = self._core.running
        now, summary = running.clock.now(), running.view.summary()
        content: dict[str, Any] = {
            "summary": summary,
            "block_time": moment(summary.latest_block.timestamp, now) if summary.latest_block else None,
            "statuses": _statuses(summary),
        }
        if visit.session is not None:
            content |= {
                "problems": [shown(problem, now) for problem in summary.problems],
                "component_problems": component_problems(self._health),
                "registered": len(running.engine.workers),
            }
        return self._frame.page(visit, "overview.html", **content)

    async def find(self, visit: Visit) -> Response:
        """Redirect to the task, deal or worker that the search field names. Raises BadRequest."""
        sought = visit.query("q")
        if _WALLET.fullmatch(sought):
            return see_other(f"./workers/{sought}")
        if not _TASK_OR_DEAL.fullmatch(sought):
            raise BadRequest(
                "search for the id of a task (0x and 64 hexadecimal digits) or the wallet of a worker (0x and 40)"
            )
        return see_other(f"./tasks/{sought.lower()}")


def component_problems(health: Health) -> list[ComponentProblem]:
    """Return the components out of service that are not among the pool's problems, with the next step."""
    found = []
    for name, state in health.snapshot()["components"].items():
        if state["status"] == UP or name in _SHOWN_AS_PROBLEMS:
            continue
        details = {key: str(value) for key, value in state.get("details", {}).items()}
        problem = details.get("problem") or details.get("reason") or "out of service"
        found.append(
            ComponentProblem(
                name,
                sentence(problem),
                details.get("address", ""),
                details.get("variable", ""),
                sentence(details.get("next_step", "")),
            )
        )
    return found


def _statuses(summary: PoolSummary) -> list[tuple[TaskStatus, int, bool]]:
    """Return each status that tasks have, their number, and whether it is not final; unfinished ones first."""
    counted = [
        (status, count, status not in FINAL_TASK_STATUSES)
        for status, count in summary.tasks_by_status.items()
        if count
    ]
    return sorted(counted, key=lambda each: not each[2])
