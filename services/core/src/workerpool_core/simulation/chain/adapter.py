"""A model of the chain adapter."""

from collections.abc import Callable
from random import Random

from workerpool_poco.protocol.deadlines import chain_time
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus

from workerpool_core.domain.decisions import RequestTransaction
from workerpool_core.domain.events import TransactionAnswered, TransactionKind
from workerpool_core.simulation.chain.chain import Chain
from workerpool_core.simulation.chain.hub import Transaction, is_finalizable
from workerpool_core.simulation.clock import Clock

_S = ChainTaskStatus
_K = TransactionKind
Answer = Callable[[TransactionAnswered], None]


class Adapter:
    """A model of the chain adapter: sends each transaction once, and answers every request for it."""

    def __init__(self, clock: Clock, random: Random, chain: Chain) -> None:
        self._clock = clock
        self._random = random
        self._chain = chain
        self._in_flight: dict[tuple[TransactionKind, TaskId], list[Answer]] = {}
        self.down = False

    def request(self, wanted: RequestTransaction, answer: Answer) -> None:
        """Request a transaction; `answer` receives its outcome."""
        key = (wanted.kind, wanted.task_id)
        if self.down:
            self._later(answer, TransactionAnswered(wanted.task_id, wanted.kind, None))
        elif self._is_done(*key):
            block = self._random.choice((0, self._chain.head.number))
            self._later(answer, TransactionAnswered(wanted.task_id, wanted.kind, True, block))
        elif key in self._in_flight:
            self._in_flight[key].append(answer)
        elif not self._is_possible(*key):
            reason = "refused" if wanted.task_id in self._chain.head.state else "DEAL_NOT_FOUND"
            self._later(answer, TransactionAnswered(wanted.task_id, wanted.kind, False, reason=reason))
        else:
            self._in_flight[key] = [answer]
            kind, value = wanted.kind.value.lower(), wanted.result_link
            if wanted.kind is _K.CLAIM and self._chain.task(wanted.task_id) is None:
                kind = "initialize_and_claim"

            def done(succeeded: bool, block: int) -> None:
                is_done = succeeded or self._is_done(*key)
                block = block if succeeded else 0
                answered = TransactionAnswered(wanted.task_id, wanted.kind, is_done, block)
                for waiting in self._in_flight.pop(key, []):
                    self._later(waiting, answered)

            self._chain.send(Transaction(kind, wanted.task_id, value=value, done=done))

    def stop(self) -> None:
        """Stop, and answer every request in flight with an unknown outcome."""
        self.down = True
        for (kind, task_id), waiting in self._in_flight.items():
            for answer in waiting:
                self._later(answer, TransactionAnswered(task_id, kind, None))
            waiting.clear()

    def _later(self, answer: Answer, answered: TransactionAnswered) -> None:
        self._clock.later(self._random.expovariate(5.0), lambda: answer(answered))

    def _is_done(self, kind: TransactionKind, task_id: TaskId) -> bool:
        task = self._chain.task(task_id)
        if task is None:
            return False
        match kind:
            case _K.INITIALIZE:
                return True
            case _K.FINALIZE:
                return task.status is _S.COMPLETED
            case _K.CLAIM:
                return task.status is _S.FAILED
            case _K.REOPEN:
                return task.status is _S.ACTIVE

    def _is_possible(self, kind: TransactionKind, task_id: TaskId) -> bool:
        """Return whether the hub would accept a transaction, at the newest block and the chain's time."""
        task = self._chain.head.state.get(task_id)
        now = chain_time(int(self._chain.head.timestamp), self._clock.now)
        if task is None:
            # A reorganisation removed the deal; the real adapter retries until the outcome is certain.
            return kind is _K.INITIALIZE
        match kind:
            case _K.INITIALIZE:
                return task.status is _S.UNSET and now < task.terms.contribution_deadline
            case _K.FINALIZE:
                return is_finalizable(task, now)
            case _K.CLAIM:
                is_open = task.status in (_S.UNSET, _S.ACTIVE, _S.REVEALING)
                return is_open and now >= task.terms.final_deadline
            case _K.REOPEN:
                late = task.reveal_deadline <= now < task.terms.final_deadline
                return task.status is _S.REVEALING and late and not task.reveals
