"""The effects of the scheduler, executed against the simulated chain, services and workers."""

from collections.abc import Callable, Iterable
from typing import Protocol

from workerpool_poco.protocol.causes import ReplicateStatusCause

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.simulation.checks.invariants import Invariants
from workerpool_core.simulation.checks.violation import must
from workerpool_core.simulation.environment import Environment
from workerpool_core.simulation.ledger import Ledger
from workerpool_core.simulation.link import Link

_SMS = "https://sms"
_READ_TOGETHER = 0.5
"""Probability that a read is answered together with earlier ones."""


class WorkersPort(Protocol):
    """The workers as core needs them."""

    @property
    def wallets(self) -> Iterable[str]:
        """The wallets of all workers."""

    def receive(self, wallet: str, link: Link, effect: d.Effect) -> None:
        """Deliver a message to a worker."""

    def unanswered(self, wallet: str, sequence: int) -> e.Update | None:
        """Return an unanswered update from a worker's outbox."""

    def disconnect(self, wallet: str) -> None:
        """Close a worker's stream."""


class ProcessPort(Protocol):
    """The core process as its effects need it."""

    process: int
    links: dict[str, Link]

    def later(self, delay: float, call: Callable[[], None]) -> None:
        """Schedule a callback after a delay in seconds, unless this process crashes before."""

    def submit(self, event: e.Event) -> None:
        """Handle an event now."""


class Effects:
    """The executor of one core's effects."""

    def __init__(
        self,
        environment: Environment,
        ledger: Ledger,
        invariants: Invariants,
        process: ProcessPort,
        workers: WorkersPort,
    ) -> None:
        self._environment = environment
        self._ledger = ledger
        self._invariants = invariants
        self._process = process
        self._workers = workers
        self._reads: list[e.TaskRead] = []
        """Reads that are answered next; later ones may be added."""

    def execute(self, effect: d.Effect) -> None:
        """Execute one effect; its answer arrives later as an event."""
        environment = self._environment
        if environment.is_traced and not isinstance(effect, d.NotifyWatchers):
            environment.note("effect", what=effect)
        delay = environment.random.expovariate(20.0)
        match effect:
            case d.ReadTask():
                self._process.later(delay, lambda: self._read_task(effect))
            case d.ReadWeight(wallet):
                self._process.later(delay, lambda: self._read_weight(wallet))
            case d.RequestTransaction():
                self._request_transaction(effect, delay)
            case d.CheckResult(task_id):
                stored = None if environment.adapter.down else task_id in environment.archives
                self._submit_later(delay, e.ResultChecked(task_id, stored, "/results/" + task_id))
            case d.FindSms(task_id):
                self._submit_later(delay, self._sms_answer(e.SmsFound(task_id, _SMS)))
            case d.RequestEnclaveChallenge(task_id):
                challenge = "0x" + "cc" * 20
                self._submit_later(
                    delay, self._sms_answer(e.EnclaveChallengeAnswered(task_id, challenge, _SMS))
                )
            case d.NotifyWatchers() | d.TaskUnsatisfiable():
                pass
            case _:
                self._send_to_worker(effect)

    def _sms_answer(self, answer: e.SmsFound | e.EnclaveChallengeAnswered) -> e.Event:
        """Return an answer of the SMS: a refusal at random, and none while the adapter is down."""
        environment = self._environment
        if environment.adapter.down:
            return e.SmsUnreachable(answer.task_id, "the SMS does not answer")
        if environment.happens(environment.faults.refused_challenge):
            return e.SmsRefused(answer.task_id, ReplicateStatusCause.UNKNOWN_SMS, "no SMS serves the task")
        return answer

    def _request_transaction(self, effect: d.RequestTransaction, delay: float) -> None:
        self._invariants.requested(effect)
        process = self._process.process

        def answer(event: e.TransactionAnswered) -> None:
            # The adapter's client guarantees one answer for each request.
            if self._process.process == process:
                self._process.later(0.0, lambda: self._process.submit(event))

        self._process.later(delay, lambda: self._environment.adapter.request(effect, answer))

    def _read_task(self, wanted: d.ReadTask) -> None:
        environment = self._environment
        chain = environment.chain
        if chain.down:
            self._process.later(2.0, lambda: self._read_task(wanted))
            return
        contributions = chain.view_contributions(wanted.task_id, wanted.wallets)
        task = chain.view_task(wanted.task_id)
        read = e.TaskRead(wanted.task_id, chain.head.number, task, contributions, wanted.requested_at)
        slow = environment.happens(environment.faults.slow_reads)
        if self._reads and environment.random.random() < _READ_TOGETHER:
            self._reads.append(read)
            return
        reads = self._reads = [read]
        delay = environment.random.uniform(0, 8) if slow else environment.random.expovariate(20.0)
        self._process.later(delay, lambda: self._answer_reads(reads))

    def _answer_reads(self, reads: list[e.TaskRead]) -> None:
        if reads is self._reads:
            self._reads = []
        self._submit_later(0.0, e.TasksRead(tuple(reads)))

    def _read_weight(self, wallet: str) -> None:
        chain = self._environment.chain
        if chain.down:
            self._process.later(2.0, lambda: self._read_weight(wallet))
        else:
            stake = chain.hub.stakes.get(wallet, 0)
            self._submit_later(0.0, e.WeightsRead(((wallet, chain.hub.weights[wallet]),), ((wallet, stake),)))

    def _send_to_worker(self, effect: d.Effect) -> None:
        wallet = effect.command.wallet if isinstance(effect, d.SendCommand) else effect.wallet  # type: ignore[union-attr]
        link = self._process.links.get(wallet)
        session = getattr(effect, "session", None)
        if link is None or (session is not None and session != link.session):
            return
        workers = self._workers
        if isinstance(effect, d.AnswerUpdate):
            self._invariants.answered(effect, workers.unanswered(wallet, effect.sequence))
        elif isinstance(effect, d.CloseSession):
            workers.disconnect(wallet)
            return
        elif isinstance(effect, d.Assign):
            must(
                (effect.task_id, wallet) in self._ledger.replicates, "assigned before it was stored:", effect
            )
            sent = e.AssignmentsSent(((wallet, effect.task_id),))
            self._process.later(
                self._environment.random.uniform(0.0, 0.3), lambda: self._process.submit(sent)
            )
        link.carry("down", lambda: workers.receive(wallet, link, effect))

    def _submit_later(self, delay: float, event: e.Event) -> None:
        """Deliver an answer to this process only, possibly twice."""
        environment = self._environment
        self._process.later(delay, lambda: self._process.submit(event))
        if environment.happens(environment.faults.duplicates):
            self._process.later(
                delay + environment.random.uniform(0, 20), lambda: self._process.submit(event)
            )
