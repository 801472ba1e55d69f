"""The effects of the simulated core reach the chain, the services and the workers."""

from collections.abc import Callable
from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.events import TransactionKind
from workerpool_core.domain.model import Action, Command
from workerpool_core.simulation.checks.invariants import Invariants
from workerpool_core.simulation.checks.violation import Violation
from workerpool_core.simulation.core.effects import Effects
from workerpool_core.simulation.environment import Environment
from workerpool_core.simulation.faults import Faults
from workerpool_core.simulation.ledger import Ledger
from workerpool_core.simulation.link import Link
from workerpool_poco.protocol.ids import TaskId

NAME, WALLET, SESSION = TaskId("0x01"), "0xW0", "session"


class Process:
    """A core process that keeps the events that it is to handle."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.process = 1
        self.links = {WALLET: Link(environment.clock, environment.random, SESSION)}
        self.events: list[e.Event] = []

    def later(self, delay: float, call: Callable[[], None]) -> None:
        self._environment.clock.later(delay, call)

    def submit(self, event: e.Event) -> None:
        self.events.append(event)


class Workers:
    """Workers that keep what they receive."""

    wallets = (WALLET,)

    def __init__(self) -> None:
        self.received: list[d.Effect] = []
        self.disconnected: list[str] = []

    def receive(self, wallet: str, link: Link, effect: d.Effect) -> None:
        self.received.append(effect)

    def unanswered(self, wallet: str, sequence: int) -> e.Update | None:
        return None

    def disconnect(self, wallet: str) -> None:
        self.disconnected.append(wallet)


class Pool:
    """Effects with everything that they reach."""

    def __init__(self) -> None:
        self.environment = Environment(1, None)
        self.environment.faults = Faults("calm", must_complete=True)
        self.environment.chain.hub.weights[WALLET] = 3
        self.process, self.workers, ledger = Process(self.environment), Workers(), Ledger()
        invariants = Invariants(ledger, self.environment)
        self.effects = Effects(self.environment, ledger, invariants, self.process, self.workers)

    def execute(self, effect: d.Effect, seconds: float = 30.0) -> list[e.Event]:
        """Execute an effect; return the events that follow."""
        self.effects.execute(effect)
        self.environment.clock.run(self.environment.clock.now + seconds)
        return self.process.events


@pytest.fixture
def pool() -> Pool:
    return Pool()


CLAIM = d.RequestTransaction(TransactionKind.CLAIM, NAME)


@pytest.mark.parametrize(
    ("effect", "event"),
    [
        (d.ReadWeight(WALLET), e.WeightsRead(((WALLET, 3),), ((WALLET, 0),))),
        (d.CheckResult(NAME), e.ResultChecked(NAME, False, "/results/0x01")),
        (d.ReadTask(NAME, (), 5.0), e.TasksRead((e.TaskRead(NAME, 0, None, {}, 5.0),))),
        (CLAIM, e.TransactionAnswered(NAME, TransactionKind.CLAIM, False, reason="DEAL_NOT_FOUND")),
    ],
)
def test_a_request_is_answered_by_an_event(pool: Pool, effect: d.Effect, event: e.Event) -> None:
    assert pool.execute(effect) == [event]


@pytest.mark.parametrize("kind", [d.FindSms, d.RequestEnclaveChallenge])
def test_the_sms_answers_refuses_or_is_down(pool: Pool, kind: Any) -> None:
    wanted = kind(NAME, "0x" + "3".zfill(64))
    (answer,) = pool.execute(wanted)
    assert answer.sms_url == "https://sms"  # type: ignore[union-attr]
    pool.environment.faults = Faults("rough", must_complete=False, refused_challenge=1.0)
    assert isinstance(pool.execute(wanted)[-1], e.SmsRefused)
    pool.environment.adapter.down = True
    assert isinstance(pool.execute(wanted)[-1], e.SmsUnreachable)


def test_a_stored_archive_is_found(pool: Pool) -> None:
    pool.environment.archives.add(NAME)
    assert pool.execute(d.CheckResult(NAME)) == [e.ResultChecked(NAME, True, "/results/0x01")]


def test_a_read_waits_until_the_node_is_up(pool: Pool) -> None:
    pool.environment.chain.down = True
    assert pool.execute(d.ReadWeight(WALLET)) == []
    pool.environment.chain.down = False
    pool.environment.clock.run(pool.environment.clock.now + 10)
    assert len(pool.process.events) == 1


@pytest.mark.parametrize(
    ("effect", "received"),
    [
        (d.SendCommand(Command(WALLET, 1, NAME, Action.REVEAL)), True),
        (d.SendCommand(Command("0xOther", 1, NAME, Action.REVEAL)), False),
        (d.Welcome(WALLET, SESSION), True),
        (d.Welcome(WALLET, "older"), False),
    ],
)
def test_messages_reach_a_worker_in_their_session_only(pool: Pool, effect: Any, received: bool) -> None:
    pool.execute(effect)
    assert pool.workers.received == ([effect] if received else [])


def test_a_closed_session_is_disconnected(pool: Pool) -> None:
    pool.execute(d.CloseSession(WALLET, SESSION, "REPLACED"))
    assert pool.workers.disconnected == [WALLET]


def test_an_assignment_that_is_not_stored_is_detected(pool: Pool) -> None:
    with pytest.raises(Violation, match="assigned before it was stored"):
        pool.execute(d.Assign(WALLET, NAME))
