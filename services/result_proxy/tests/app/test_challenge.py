"""Challenges are accepted by the proxy that made them, for the worker and task that they were made for."""

import pytest
from workerpool_kit.access.tokens import Tokens
from workerpool_kit.clock import FakeClock
from workerpool_poco.protocol.ids import TaskId
from workerpool_result_proxy import errors
from workerpool_result_proxy.app.challenge import Challenge, Challenges
from workerpool_result_proxy.domain.challenges import CHALLENGE_LIFETIME_S, check_nonce, make_nonce

from services.result_proxy.tests.doubles.keys import MemoryKeys

WORKER, TASK = "0x" + "11" * 20, TaskId("0x" + "01" * 32)
AUDIENCE = "https://result.example"


def proxy(clock: FakeClock, keys: MemoryKeys, audience: str = AUDIENCE) -> Challenges:
    tokens = Tokens(keys, issuer="p", audience="p", lifetime_s=100, rotate_after_s=100, clock=clock)
    return Challenges(tokens, clock, audience=audience)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def accepted(by: Challenges, made: Challenge, worker: str = WORKER, task: TaskId = TASK) -> bool:
    try:
        await by.check(worker, task, made.audience, made.nonce)
    except (errors.ChallengeInvalid, errors.WrongAudience):
        return False
    return True


async def test_a_challenge_is_of_one_worker_and_task(clock: FakeClock) -> None:
    own = proxy(clock, MemoryKeys())
    made = await own.create(WORKER, TASK)
    assert made.expires_at == int(clock.now()) + CHALLENGE_LIFETIME_S
    assert await accepted(own, made)
    assert not await accepted(own, made, worker="0x" + "12" * 20)
    assert not await accepted(own, made, task=TaskId("0x" + "02" * 32))


async def test_a_challenge_of_another_proxy_opens_nothing(clock: FakeClock) -> None:
    made = await proxy(clock, MemoryKeys()).create(WORKER, TASK)
    assert not await accepted(proxy(clock, MemoryKeys()), made)
    shared = MemoryKeys()
    made = await proxy(clock, shared, "https://other.example").create(WORKER, TASK)
    with pytest.raises(errors.WrongAudience, match="this proxy is"):
        await proxy(clock, shared).check(WORKER, TASK, made.audience, made.nonce)


async def test_a_challenge_survives_a_restart_and_a_new_key(clock: FakeClock) -> None:
    keys = MemoryKeys()
    first = proxy(clock, keys)
    await first.create(WORKER, TASK)
    clock.advance(99)
    made = await first.create(WORKER, TASK)
    assert await accepted(proxy(clock, keys), made)
    clock.advance(2)
    await first.create(WORKER, TASK)
    assert len(keys.keys) == 2
    assert await accepted(first, made)


async def test_a_changed_expiry_is_refused(clock: FakeClock) -> None:
    own = proxy(clock, MemoryKeys())
    made = await own.create(WORKER, TASK)
    later = (int.from_bytes(made.nonce[:8], "big") + 1).to_bytes(8, "big") + made.nonce[8:]
    with pytest.raises(errors.ChallengeInvalid):
        await own.check(WORKER, TASK, AUDIENCE, later)


@pytest.mark.parametrize("nonce", [bytes(32), b"\xff" * 32])
def test_a_nonce_without_a_secret_is_refused(nonce: bytes) -> None:
    for secrets in ([], [b"secret"]):
        with pytest.raises(errors.ChallengeInvalid):
            check_nonce(secrets, nonce, WORKER, TASK, now=0)


def test_a_nonce_ends_at_its_expiry() -> None:
    nonce = make_nonce(b"secret", WORKER, TASK, expires_at=100)
    check_nonce([b"other", b"secret"], nonce, WORKER, TASK, now=99.9)
    with pytest.raises(errors.ChallengeInvalid, match="expired"):
        check_nonce([b"secret"], nonce, WORKER, TASK, now=100)
