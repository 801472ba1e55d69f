"""The operator's page over a scheduler in memory: workers, tasks, logs and an adapter that a test sets.

Only the store, the chain adapter and the node are doubles; requests go through the routes of the page.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from workerpool_core.api.operator_page.frame import COOKIE
from workerpool_core.api.operator_page.routes import operator_page_routes
from workerpool_core.api.pool_service import PoolServicer
from workerpool_core.app.engine.engine import Engine
from workerpool_core.app.operators.sessions import OperatorSessions
from workerpool_core.app.ports import (
    CommandPage,
    CommandQuery,
    ComputeLogs,
    DealPosition,
    StoredDeal,
    TaskPosition,
    TaskQuery,
    TransactionCommand,
    WalletState,
)
from workerpool_core.app.queries.deal_queries import DealQueries
from workerpool_core.app.queries.live_logs import LiveLogs
from workerpool_core.app.queries.pool_conditions import PoolConditions
from workerpool_core.app.queries.pool_view import PoolView
from workerpool_core.app.queries.pool_wallet import PoolWallet
from workerpool_core.app.queries.task_queries import TaskQueries
from workerpool_core.app.queries.watchers import Watchers
from workerpool_core.app.running import Core
from workerpool_core.app.workers.refusals import Refusals
from workerpool_core.domain import events as e
from workerpool_core.domain.decisions import Outcome
from workerpool_core.domain.model import DealTerms, Receipt, Replicate, Task, WorkerModel
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.scheduler import Scheduler
from workerpool_core.errors import AdapterUnavailable
from workerpool_core.simulation.deals import deal_terms, tasks_of
from workerpool_core.simulation.ledger import Ledger
from workerpool_kit.clock import FakeClock
from workerpool_kit.health import Health
from workerpool_poco.protocol.ids import DealId, TaskId, address
from workerpool_poco.protocol.model import Account, Block
from workerpool_poco.protocol.statuses import ReplicateStatus

POOL = "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27"
OWNER = address("0x" + "22" * 20)
USER, PASSWORD = "ops", "correct horse"
HOST = "pool.example:7001"
NOW = 1_700_000_000.0
ETHER = 10**18


def wallet(number: int) -> str:
    """Return the wallet of a worker."""
    return address(f"0x{number:040x}")


def command(task_id: str, number: int, state: str = "SUCCESS", **changed: Any) -> TransactionCommand:
    """Return a command of the chain adapter, requested a second before its last change."""
    known = TransactionCommand(
        task_id=task_id,
        kind="INITIALIZE",
        state=state,
        transaction=f"0x{number:064x}",
        block=number,
        gas_used=90_000,
        reason="",
        message="",
        created_at=NOW + number,
        updated_at=NOW + number + 1,
        attempts=1,
    )
    return replace(known, **changed)


@dataclass
class Answer:
    """An answer of the page; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class Adapter:
    """Implements `TransactionJournal` and `AccountSource` from values that the test sets."""

    def __init__(self) -> None:
        self.known: list[TransactionCommand] = []
        self.problem = ""
        self.state = WalletState(OWNER, 5 * ETHER // 2, 7, 9, 2, 65.0, 1200, "", 0, 10**9, "mempool")
        self.account = Account(12_500_000_000, 500_000_000)

    def state_with(self, **changed: Any) -> WalletState:
        """Return the state of the wallet with some fields changed."""
        return replace(self.state, **changed)

    async def commands(self, query: CommandQuery, page_token: str, size: int) -> CommandPage:
        self._answer()
        found = [
            command
            for command in reversed(self.known)
            if query.task_id in ("", command.task_id)
            and (query.state is None or query.state.value == command.state)
        ]
        start = int(page_token or 0)
        more = str(start + size) if len(found) > start + size else ""
        return CommandPage(found[start : start + size], more)

    async def wallet(self) -> WalletState:
        self._answer()
        return self.state

    async def view_accounts(self, owners: Any) -> list[Account]:
        return [self.account for _ in owners]

    async def balances(self, owners: Any) -> list[int]:
        return [self.state.balance_wei for _ in owners]

    def _answer(self) -> None:
        if self.problem:
            raise AdapterUnavailable(self.problem)


class LedgerStore:
    """Implements `TaskRepository` and `DealRepository` over a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def task(self, task_id: TaskId) -> Task | None:
        found = self._ledger.tasks.get(task_id)
        if found is not None:
            found.replicates = {w: r for (t, w), r in self._ledger.replicates.items() if t == task_id}
        return found

    async def replicate(self, task_id: TaskId, wallet: str) -> Replicate | None:
        return self._ledger.replicates.get((task_id, wallet))

    async def tasks(self, query: TaskQuery, after: TaskPosition | None, limit: int) -> list[Task]:
        def place(task: Task) -> tuple[int, str, int]:
            return -task.terms.block, task.terms.deal_id, task.index

        found = [
            task
            for task in sorted(self._ledger.tasks.values(), key=place)
            if (not query.statuses or task.status.value in query.statuses)
            and query.deal_id in ("", task.terms.deal_id)
            and query.requester in ("", task.terms.requester)
            and (not query.wallet or (task.task_id, query.wallet) in self._ledger.replicates)
            and (after is None or place(task) > (-after.block, after.deal_id, after.index))
        ]
        return found[:limit]

    async def with_replicates(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            await self.task(task.task_id)

    async def deals(self, requester: str, after: DealPosition | None, limit: int) -> list[StoredDeal]:
        known = {task.terms.deal_id: task.terms for task in self._ledger.tasks.values()}
        newest_first = sorted(known.values(), key=lambda terms: (-terms.block, terms.deal_id))
        found = [
            terms
            for terms in newest_first
            if requester in ("", terms.requester)
            and (after is None or (-terms.block, terms.deal_id) > (-after.block, after.deal_id))
        ]
        return [self._counted(terms) for terms in found[:limit]]

    async def deal(self, deal_id: DealId) -> StoredDeal | None:
        found = [task.terms for task in self._ledger.tasks.values() if task.terms.deal_id == deal_id]
        return self._counted(found[0]) if found else None

    def _counted(self, terms: DealTerms) -> StoredDeal:
        tasks = [task for task in self._ledger.tasks.values() if task.terms.deal_id == terms.deal_id]
        return StoredDeal(terms, Counter(task.status for task in tasks))

    async def logs(self, task_id: TaskId, wallet: str = "") -> list[ComputeLogs]:
        return [
            ComputeLogs(w, *written)
            for (t, w), written in self._ledger.logs.items()
            if t == task_id and wallet in ("", w)
        ]


class LedgerCommit:
    """Makes every decision durable at once and carries out none of its effects."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def put(self, outcome: Outcome) -> None:
        for write in outcome.writes:
            self._ledger.apply(write)

    applied = 0

    def stalled_s(self) -> float:
        return 0.0

    async def visible(self) -> None: ...

    async def durable(self) -> None: ...


@dataclass
class PageWorld:
    """A pool and its page. Create it in an event loop, and stop its engine.

    Workers are numbered; deals are in the order of their blocks.
    """

    operator: bool = True
    scheme: str = "http"
    address: str = "10.0.0.7"
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    health: Health = field(default_factory=Health)
    adapter: Adapter = field(default_factory=Adapter)

    def __post_init__(self) -> None:
        self.ledger = Ledger()
        self.block, self.sequence = 10, 0
        scheduler = Scheduler(Policy(), Random(1), self.ledger.snapshot(Policy(), NOW))
        self.engine = Engine(scheduler, self.clock)
        self.commit = LedgerCommit(self.ledger)
        self.engine.start(self.commit)
        self.live_logs = LiveLogs(self.engine.tasks)
        head: Any = SimpleNamespace(latest=Block(12, b"\x01" * 32, bytes(32), int(NOW)))
        follower: Any = SimpleNamespace(
            position=SimpleNamespace(number=12), deals_seen=1, latest_deal_block=11
        )
        commit: Any = self.commit
        adapter: Any = self.adapter
        store: Any = LedgerStore(self.ledger)
        queries = TaskQueries(
            store,
            commit,
            Watchers(),
            self.live_logs,
            self.engine.tasks,
            queued_tasks=lambda: self.engine.queued_tasks,
        )
        running: Any = SimpleNamespace(
            clock=self.clock,
            engine=self.engine,
            queries=queries,
            deals=DealQueries(store, store, self.engine, queries.wait_visible),
            pool_wallet=PoolWallet(adapter, adapter, OWNER),
        )
        self.refusals = Refusals(self.clock)
        conditions = PoolConditions(
            self.health, self.refusals, wallet=lambda: None, blocks=lambda: (self.block, self.block)
        )
        running.explain = lambda: self.engine.explain(conditions.now())
        running.refusals = self.refusals
        running.view = PoolView(self.engine, follower, head, self.clock, address(POOL), {}, running.explain)
        self.core = Core()
        self.core.started(running)
        self.sessions = OperatorSessions(self.clock, USER, PASSWORD if self.operator else None)
        servicer = PoolServicer(self.core, operator_configured=self.operator)
        self.app = Starlette(
            routes=operator_page_routes(self.core, self.sessions, servicer, self.health, "1.2.3")
        )

    # --- the pool -----------------------------------------------------------------------------

    def connect(self, number: int, *, parked: str = "", **model: Any) -> str:
        """Connect a worker that has weight and stake; return its wallet."""
        described = {"name": f"worker-{number}", "version": "1.0", "os": "linux", "cpu": "x86-64"} | model
        slots, memory = described.pop("slots", 2), described.pop("memory_bytes", 8 << 30)
        name = wallet(number)
        machine = WorkerModel(**described, slots=slots, memory_bytes=memory)
        self.engine.submit(e.WorkerConnected(name, f"s{number}", machine, parked_reason=parked))
        self.engine.submit(e.WeightsRead(((name, 2),), ((name, 10**12),)))
        return name

    def buy(self, number: int = 1, **terms: Any) -> list[TaskId]:
        """Mine a deal and the initialization of its tasks; return their ids."""
        self.block += 1
        bought = deal_terms(
            DealId(f"0x{number:064x}"),
            start=self.clock.now(),
            execution_s=300,
            **{"block": self.block, "requester": wallet(900), "app_uri": "docker.io/app:1", **terms},
        )
        self.engine.submit(e.BlockSeen(self.block, f"0x{self.block}", NOW, (e.DealSeen(bought),)))
        ids = tasks_of(bought)
        self.block += 1
        logs = tuple(e.TaskLog(e.TaskLogKind.INITIALIZE, t, _receipt(self.block)) for t in ids)
        self.engine.submit(e.BlockSeen(self.block, f"0x{self.block}", NOW, (), logs))
        return ids

    def report(self, number: int, task: TaskId, *statuses: ReplicateStatus, **details: Any) -> None:
        """Report statuses of a replicate, with the details in the last."""
        updates = []
        for place, status in enumerate(statuses, 1):
            given = e.Details(**details) if place == len(statuses) else e.Details()
            self.sequence += 1
            updates.append(e.Update(self.sequence, task, status, given))
        self.engine.submit(e.StatusReported(wallet(number), f"s{number}", tuple(updates)))

    # --- the browser --------------------------------------------------------------------------

    def sign_in(self) -> dict[str, str]:
        """Open a session; return the header of its cookie."""
        return {"cookie": f"{COOKIE}={self.sessions.sign_in(USER, PASSWORD, self.address).id}"}

    def form_token(self, signed: dict[str, str]) -> str:
        """Return the token that the forms of a session hold."""
        session = self.sessions.find(signed["cookie"].partition("=")[2])
        assert session is not None
        return session.form_token

    async def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Request a page."""
        return await self._ask("GET", path, headers or {}, b"")

    async def post(self, path: str, form: dict[str, str], headers: dict[str, str] | None = None) -> Answer:
        """Send a form of the page."""
        sent = {"content-type": "application/x-www-form-urlencoded", "origin": f"http://{HOST}"}
        return await self._ask("POST", path, sent | (headers or {}), urlencode(form).encode())

    async def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        plain, _, query = path.partition("?")
        raw = [(n.encode(), v.encode("latin-1")) for n, v in ({"host": HOST} | headers).items()]
        scope = {
            "type": "http",
            "method": method,
            "path": plain,
            "raw_path": plain.encode(),
            "query_string": query.encode(),
            "headers": raw,
            "scheme": self.scheme,
            "http_version": "1.1",
            "client": (self.address, 5000),
            "server": ("10.0.0.1", 13000),
            "root_path": "",
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        return Answer(
            sent[0]["status"],
            {name.decode(): value.decode() for name, value in sent[0]["headers"]},
            b"".join(message.get("body", b"") for message in sent[1:]),
        )


def _receipt(block: int) -> Receipt:
    return Receipt(block, f"0x{block:064x}")
