"""No order of events stops the scheduler, not even one that an honest chain and honest workers cannot cause."""

from collections.abc import Callable
from random import Random

import pytest
from workerpool_core.domain import events as e
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.replicates.replicate_machine import REPLICATE_TRANSITIONS
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ContributionStatus, ReplicateStatus, ReplicateStatusCause

from services.core.tests.doubles.scripted_pool import ScriptedPool

HASHES = ("0x" + "aa" * 32, "0x" + "bb" * 32)
SCONE = "0x" + f"{3:064x}"
DEALS = (
    {"trust": 3},
    {"trust": 5, "callback": "0xCallback"},
    {"storage_provider": "dropbox"},
    {"tag": SCONE},
)
CAUSES = (None, ReplicateStatusCause.APP_IMAGE_DOWNLOAD_FAILED, ReplicateStatusCause.TASK_NOT_ACTIVE)
WORKERS = range(4)
STEPS = 250
MAX_TICKS_AT_ONCE = 200


class RandomEvents:
    """Draws the next event and its subject."""

    def __init__(self, pool: ScriptedPool, seed: int) -> None:
        self.pool = pool
        self.random = Random(seed)
        self.tasks = [task for deal in DEALS for task in pool.deal(**deal)]
        for number in WORKERS:
            pool.connect(number, sgx=True)
        for task in self.tasks:
            pool.mine(pool.log("INITIALIZE", task))
            pool.handle(e.EnclaveChallengeAnswered(task, "0xChallenge", "https://sms"))

    def step(self) -> None:
        steps = (self.report, self.follow_tables, self.block, self.read, self.answer, self.worker, self.time)
        self.random.choices(steps, (1, 4, 2, 2, 2, 2, 2))[0](self.random.choice(self.tasks))

    def send(self, number: int, task: TaskId, status: ReplicateStatus) -> None:
        pick = self.random.choice
        details = {
            "cause": pick(CAUSES),
            "result_link": pick(("", "link")),
            "callback_data": pick(("", "0x01")),
        }
        self.pool.report(number, task, status, **details)

    def report(self, task: TaskId) -> None:
        self.send(self.random.choice(WORKERS), task, self.random.choice(list(ReplicateStatus)))

    def follow_tables(self, _: str) -> None:
        """Report a status that the tables allow next; otherwise few tasks would progress."""
        held = [r for t in self.pool.scheduler.tasks.values() for r in t.replicates.values()]
        if held:
            replicate = self.random.choice(held)
            following = sorted(
                s for s in REPLICATE_TRANSITIONS[replicate.status] if not replicate.has_reached(s)
            )
            if following:
                number = int(replicate.wallet.removeprefix("0xWorker"))
                self.send(number, replicate.task_id, self.random.choice(following))

    def block(self, task: TaskId) -> None:
        pool, random = self.pool, self.random
        if random.random() < 0.1:
            pool.revert(min(random.choice((1, 3, 20)), pool.block - 1))
        kinds = [*("CONTRIBUTE", "CONSENSUS", "REVEAL") * 3, *(kind.name for kind in e.TaskLogKind)]
        logs = []
        for kind in random.choices(kinds, k=random.randint(0, 4)):
            worker = random.choice(WORKERS) if kind in ("CONTRIBUTE", "REVEAL") else None
            value = "0x4c" if kind == "FINALIZE" else random.choice(HASHES)
            logs.append(pool.log(kind, task, worker, value, random.choice(("0x1", "0x2"))))
        pool.mine(*logs)

    def read(self, task: TaskId) -> None:
        pool, random = self.pool, self.random
        if task in pool.scheduler.tasks:
            status = random.choice(
                ("UNSET", "ACTIVE", "ACTIVE", "REVEALING", "REVEALING", "COMPLETED", "FAILED")
            )
            told = {
                number: (random.choice(list(ContributionStatus)).name, random.choice(HASHES))
                for number in WORKERS
            }
            counts = {"winners": random.randint(0, 3), "reveals": random.randint(0, 2)}
            pool.read(task, status, told, value=random.choice(HASHES), **counts)

    def answer(self, task: TaskId) -> None:
        pool, pick = self.pool, self.random.choice
        kind, told, block = (
            pick(list(e.TransactionKind)),
            pick((None, True, False)),
            pick((0, pool.block + 1)),
        )
        pool.handle(e.TransactionAnswered(task, kind, told, block))
        pool.handle(e.ResultChecked(task, pick((None, True, False)), "link"))
        pool.handle(
            pick(
                (
                    e.SmsFound(task, "https://sms"),
                    e.EnclaveChallengeAnswered(task, pick(("", "0xChallenge")), "https://sms"),
                    e.SmsUnreachable(task, "down"),
                    e.SmsRefused(task, ReplicateStatusCause.UNKNOWN_SMS, "none"),
                )
            )
        )

    def worker(self, _: str) -> None:
        pool, random = self.pool, self.random
        number = random.choice(WORKERS)
        if random.random() < 0.5:
            pool.cut(number)
            return
        statuses = list(ReplicateStatus)
        held = [
            e.HeldReplicate(task, random.choice(statuses), random.random() < 0.5, 5) for task in self.tasks
        ]
        pool.connect(number, held=tuple(h for h in held if random.random() < 0.7))
        pool.acknowledge(random.choice(WORKERS))

    def time(self, _: str) -> None:
        pool, end = self.pool, self.pool.now + self.random.choice((1, 5, 61, 61, 700))
        ticks = 0
        while (due := pool.scheduler.next_wake(pool.now)) is not None and due <= end:
            ticks = 0 if due > pool.now else ticks + 1
            assert ticks < MAX_TICKS_AT_ONCE, "it turns in a circle"
            pool.now = max(pool.now, due)
            pool.handle(e.Tick())
        pool.now = end
        if self.random.random() < 0.1:
            pool.restart()
            for number in WORKERS:
                pool.connect(number)


@pytest.mark.parametrize("seed", range(60))
def test_memory_and_store_agree_after_any_order_of_events(
    make_pool: Callable[..., ScriptedPool], seed: int
) -> None:
    pool = make_pool(Policy(proof_timeout_s=30, ended_retention_s=60, reorganisation_blocks=8), seed=seed)
    events = RandomEvents(pool, seed)
    for _ in range(STEPS):
        events.step()
        pool.effects.clear()
        for task in pool.scheduler.tasks.values():
            stored = pool.ledger.tasks[task.task_id]
            assert (stored.history, stored.consensus) == (task.history, task.consensus)
            for wallet, replicate in task.replicates.items():
                assert pool.ledger.replicates[task.task_id, wallet] == replicate
