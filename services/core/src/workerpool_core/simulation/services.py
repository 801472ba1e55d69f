"""The chain adapter and the result proxy, as the scheduler knows them."""

from collections.abc import Callable
from random import Random

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus

from workerpool_core.domain.decisions import RequestTransaction
from workerpool_core.domain.events import TransactionAnswered, TransactionKind
from workerpool_core.simulation.chain import Chain, Transaction, is_finalizable
from workerpool_core.simulation.clock import Clock

_S = ChainTaskStatus
_K = TransactionKind
Answer = Callable[[TransactionAnswered], None]


class Adapter:
    """Sends the pool owner's transactions, each once at a time; asking twice answers twice."""

    def __init__(self, clock: Clock, random: Random, chain: Chain) -> None:
        self._clock = clock
        self._random = random
        self._chain = chain
        self._under_way: dict[tuple[TransactionKind, TaskId], list[Answer]] = {}
        self.down = False

    def request(self, wanted: RequestTransaction, answer: Answer) -> None:
        """Take a request; the answer comes when the chain has spoken."""
        key = (wanted.kind, wanted.task_id)
        if self.down:
            self._later(answer, TransactionAnswered(wanted.task_id, wanted.kind, None))
        elif self._stands(*key):
            block = self._random.choice((0, self._chain.head.number))
            self._later(answer, TransactionAnswered(wanted.task_id, wanted.kind, True, block))
        elif key in self._under_way:
            self._under_way[key].append(answer)
        elif not self._possible(*key):
            self._later(answer, TransactionAnswered(wanted.task_id, wanted.kind, False, reason="refused"))
        else:
            self._under_way[key] = [answer]
            kind, value = wanted.kind.value.lower(), wanted.result_link

            def done(ok: bool, block: int) -> None:
                held = ok or self._stands(*key)
                answered = TransactionAnswered(wanted.task_id, wanted.kind, held, block if ok else 0)
                for waiting in self._under_way.pop(key, []):
                    self._later(waiting, answered)

            self._chain.send(Transaction(kind, wanted.task_id, value=value, done=done))

    def stop(self) -> None:
        """Go down: whoever waits learns nothing."""
        self.down = True
        for (kind, task_id), waiting in self._under_way.items():
            for answer in waiting:
                self._later(answer, TransactionAnswered(task_id, kind, None))
            waiting.clear()

    def _later(self, answer: Answer, answered: TransactionAnswered) -> None:
        self._clock.later(self._random.expovariate(5.0), lambda: answer(answered))

    def _stands(self, kind: TransactionKind, task_id: TaskId) -> bool:
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

    def _possible(self, kind: TransactionKind, task_id: TaskId) -> bool:
        """Judge by the newest block and its time, as the real adapter does."""
        task = self._chain.head.state.get(task_id)
        now = self._chain.head.timestamp
        if task is None:
            # A reorganisation took the deal away; the real adapter tries again until it is sure.
            return kind is _K.INITIALIZE
        match kind:
            case _K.INITIALIZE:
                return task.status is _S.UNSET and now < task.terms.contribution_deadline
            case _K.FINALIZE:
                return is_finalizable(task, now)
            case _K.CLAIM:
                return task.status in (_S.ACTIVE, _S.REVEALING) and now >= task.terms.final_deadline
            case _K.REOPEN:
                late = task.reveal_deadline <= now < task.terms.final_deadline
                return task.status is _S.REVEALING and late and not task.reveals
