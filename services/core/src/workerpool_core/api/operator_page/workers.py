"""Workers: their state, why they get no work, and the operator's actions on them."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from google.protobuf.duration_pb2 import Duration
from starlette.responses import Response
from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.ids import address
from workerpool_protocol.core.v1 import pool_service_pb2 as pb

from workerpool_core.api.operator_page import paging
from workerpool_core.api.operator_page.formatting import Moment, moment, size
from workerpool_core.api.operator_page.frame import Frame, OperatorAction, Visit
from workerpool_core.api.operator_page.reasons import ShownReason, sentence, shown
from workerpool_core.api.operator_page.tasks import rows_of
from workerpool_core.api.pool_service import NAME, PoolServicer
from workerpool_core.app.ports import TaskQuery
from workerpool_core.app.queries.pool_view import WorkerView
from workerpool_core.app.running import Core, RunningCore
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import REASONS, Subject
from workerpool_core.errors import BadPageToken, BadRequest

_WALLET = re.compile("0x[0-9a-fA-F]{40}")
_TASKS = 20
"""Most tasks of a worker on its page."""
_MAX_REFUSALS = 20
DURATIONS: Mapping[str, tuple[str, int | None]] = {
    "": ("without end", None),
    "3600": ("1 hour", 3_600),
    "14400": ("4 hours", 14_400),
    "86400": ("1 day", 86_400),
}
"""Durations of an action in seconds, None without end, by the value in the form."""
REASONS_OF_WORKERS = [code.value for code, meaning in REASONS.items() if meaning.subject is Subject.WORKER]
"""The codes by which a list of workers can be filtered."""


class WorkerRow(NamedTuple):
    """One worker of a page; `reason` is why it gets no further task now."""

    wallet: str
    name: str
    version: str
    state: str
    slots: int
    computing: int
    seen: Moment | None
    reason: ShownReason | None


class Refusal(NamedTuple):
    """Logins of a wallet that core refused for one reason."""

    wallet: str
    reason: str
    message: str
    peer: str
    times: int
    last: Moment | None


class Workers:
    """The pages of workers."""

    def __init__(self, frame: Frame, core: Core, servicer: PoolServicer) -> None:
        """Create the pages; actions go through `servicer`, so that the page and gRPC have the same effect."""
        self._frame = frame
        self._core = core
        self._servicer = servicer

    async def list(self, visit: Visit) -> Response:
        """Show one page of workers, and the refused logins. Raises BadRequest or BadPageToken."""
        running = self._core.running
        now = running.clock.now()
        filters = {"q": visit.query("q"), "reason": visit.query("reason")}
        found = running.view.workers(
            _after(visit.query("page")),
            paging.PAGE + 1,
            alive_only=False,
            codes=_codes(filters["reason"]),
            text=filters["q"],
        )
        shown_views = found[: paging.PAGE]
        token = shown_views[-1].worker.wallet if len(found) > len(shown_views) else ""
        return self._frame.page(
            visit,
            "workers.html",
            rows=[_row(view, now) for view in shown_views],
            filters=filters,
            reasons=REASONS_OF_WORKERS,
            refusals=_refusals(running, "", now),
            next_page=paging.next_link(filters, token),
            first_page=paging.link(filters) if visit.query("page") else "",
        )

    async def show(self, visit: Visit) -> Response:
        """Show one worker, or a wallet with refused logins only. Raises UnknownWorker or BadRequest."""
        running, wallet = self._core.running, _wallet(visit)
        now, refusals = running.clock.now(), _refusals(running, wallet, running.clock.now())
        reason, registered = running.view.explain_worker(wallet)
        if not registered:
            return self._frame.page(
                visit, "refused_worker.html", wallet=wallet, reason=shown(reason, now), refusals=refusals
            )
        view = running.view.worker(wallet)
        tasks, _ = await running.queries.tasks(TaskQuery(wallet=wallet), "", _TASKS)
        return self._frame.page(
            visit,
            "worker.html",
            row=_row(view, now),
            drained_until=_end(view.worker.drained_until, now),
            quarantined_until=_end(view.worker.quarantine_end, now),
            facts=_facts(view, now),
            durations=[(value, text) for value, (text, _) in DURATIONS.items()],
            held=len(view.task_ids),
            tasks=await rows_of(running, tasks, now),
            refusals=refusals,
        )

    def drain(self, visit: Visit, form: Mapping[str, str]) -> OperatorAction:
        """Return the action that drains a worker. Raises BadRequest."""
        request = pb.DrainWorkerRequest(wallet_address=_wallet(visit), duration=_duration(form))
        return self._action("DrainWorker", request)

    def undrain(self, visit: Visit, _form: Mapping[str, str]) -> OperatorAction:
        """Return the action that ends the drain of a worker. Raises BadRequest."""
        return self._action("UndrainWorker", pb.UndrainWorkerRequest(wallet_address=_wallet(visit)))

    def quarantine(self, visit: Visit, form: Mapping[str, str]) -> OperatorAction:
        """Return the action that quarantines a worker. Raises BadRequest."""
        request = pb.QuarantineWorkerRequest(wallet_address=_wallet(visit), duration=_duration(form))
        return self._action("QuarantineWorker", request)

    def release(self, visit: Visit, _form: Mapping[str, str]) -> OperatorAction:
        """Return the action that ends the quarantine of a worker. Raises BadRequest."""
        return self._action("ReleaseWorker", pb.ReleaseWorkerRequest(wallet_address=_wallet(visit)))

    def _action(self, method: str, request: Any) -> OperatorAction:
        call = getattr(self._servicer, method)
        return OperatorAction(
            f"/{NAME}/{method}", request, partial(call, request, None), f"../{request.wallet_address}"
        )


def _row(view: WorkerView, now: float) -> WorkerRow:
    worker = view.worker
    return WorkerRow(
        worker.wallet,
        worker.model.name,
        worker.model.version,
        _state(view, now),
        worker.model.slots,
        view.computing,
        moment(worker.last_seen, now),
        shown(view.reason, now),
    )


def _state(view: WorkerView, now: float) -> str:
    """Return the states of a worker as text, such as `connected, drained`."""
    worker = view.worker
    states = {
        "connected" if view.connected else "not connected": True,
        "computing": view.computing > 0,
        "drained": worker.drained_until > now,
        "in quarantine": worker.quarantine_end > now,
        "refuses work": bool(view.parked_reason),
    }
    return ", ".join(name for name, holds in states.items() if holds)


def _refusals(running: RunningCore, wallet: str, now: float) -> list[Refusal]:
    return [
        Refusal(
            each.wallet, each.reason, sentence(each.message), each.peer, each.count, moment(each.last_at, now)
        )
        for each in running.refusals.newest(wallet)[:_MAX_REFUSALS]
    ]


def _end(until: float, now: float) -> Moment | None:
    return moment(until, now) if until > now else None


def _facts(view: WorkerView, now: float) -> list[tuple[str, str | Moment]]:
    worker, model = view.worker, view.worker.model
    enclaves = " and ".join(name for name, has in (("SGX", model.sgx), ("TDX", model.tdx)) if has)
    facts: dict[str, str | Moment | None] = {
        "Version": model.version,
        "System": f"{model.os}, {model.cpu}",
        "Slots": f"{view.computing} of {model.slots} in use",
        "Memory": size(model.memory_bytes),
        "GPUs": str(model.gpus),
        "Enclaves": enclaves or "none",
        "Registered": moment(worker.registered_at, now),
        "Last message": moment(worker.last_seen, now),
        "Failures in a row": str(worker.consecutive_failures),
        "Confirmed contributions": str(worker.successes),
    }
    return [(name, value) for name, value in facts.items() if value is not None]


def _wallet(visit: Visit) -> str:
    wallet = visit.path_part("wallet")
    if not _WALLET.fullmatch(wallet):
        raise BadRequest("the path lacks the worker's wallet: 0x and 40 hexadecimal digits")
    return address(wallet)


def _codes(value: str) -> frozenset[ReasonCode]:
    if value and value not in REASONS_OF_WORKERS:
        raise BadRequest("choose one of the reasons that the form offers")
    return frozenset({ReasonCode(value)} if value else ())


def _duration(form: Mapping[str, str]) -> Duration | None:
    chosen = DURATIONS.get(form.get("seconds", ""))
    if chosen is None:
        raise BadRequest("choose one of the durations that the form offers")
    return Duration(seconds=chosen[1]) if chosen[1] is not None else None


def _after(token: str) -> str:
    try:
        return address(token) if token else ""
    except InvalidId:
        raise BadPageToken("this page does not exist; start again at the first one") from None
