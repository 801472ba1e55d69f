"""A token for an authorization that the chain confirms."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from workerpool_kit.access.tokens import Tokens
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import bound_authorization_hash, sign_authorization
from workerpool_poco.protocol.model import Resource
from workerpool_result_proxy import errors
from workerpool_result_proxy.app.challenge import Challenges
from workerpool_result_proxy.app.issue_token import MOST_WORKERS, WORKER_ROLE, IssueToken

from services.result_proxy.tests.doubles.keys import MemoryKeys

World = Any
AUDIENCE = "https://result.example"


class Setting:
    """A task, the owner of its pool, a worker, and the use case."""

    def __init__(self, world: World) -> None:
        self.world, self.owner, self.worker = world, Wallet.create(), Wallet.create()
        self.task = replace(world.task, final_deadline=int(world.clock.now()) + 100)
        pool = Resource("0x" + "44" * 20, self.owner.address, 0)
        world.chain.tasks[self.task.task_id] = self.task
        world.chain.deals[self.task.deal_id] = replace(world.deal, workerpool=pool)
        self.tokens = Tokens(
            MemoryKeys(),
            issuer="proxy",
            audience="proxy",
            lifetime_s=60,
            rotate_after_s=60,
            clock=world.clock,
        )

        self.challenges = Challenges(self.tokens, world.clock, audience=AUDIENCE)

    async def issue(
        self, *, signer: Wallet | None = None, only_pool: str | None = None, waited_s: float = 0
    ) -> tuple[str, int]:
        authorization = sign_authorization(
            signer or self.owner,
            worker=self.worker.address,
            task_id=self.task.task_id,
            deal_id=self.task.deal_id,
            task_index=0,
        )
        made = await self.challenges.create(self.worker.address, self.task.task_id)
        signed = bound_authorization_hash(authorization, made.audience, made.nonce)
        world = self.world
        world.clock.advance(waited_s)
        use_case = IssueToken(
            world.chain, world.store, self.tokens, self.challenges, world.clock, only_pool=only_pool
        )
        return await use_case.issue(
            authorization,
            self.worker.sign_message_hash(signed),
            audience=made.audience,
            nonce=made.nonce,
        )


@pytest.fixture
def setting(world: World) -> Setting:
    return Setting(world)


async def test_the_token_identifies_the_worker_and_the_authorization_is_stored(setting: Setting) -> None:
    token, expires_at = await setting.issue()
    identity = await setting.tokens.verify(token)
    assert identity is not None
    assert (identity.subject, identity.roles) == (setting.worker.address, frozenset({WORKER_ROLE}))
    assert expires_at == int(setting.world.clock.now()) + 60
    assert await setting.world.store.is_authorized(setting.task.task_id, setting.worker.address)


async def test_a_refused_authorization_is_not_stored(setting: Setting) -> None:
    with pytest.raises(errors.NotSignedByPoolOwner):
        await setting.issue(signer=Wallet.create())
    assert not await setting.world.store.is_authorized(setting.task.task_id, setting.worker.address)


async def test_a_proxy_of_one_pool_refuses_the_others(setting: Setting) -> None:
    with pytest.raises(errors.WrongPool):
        await setting.issue(only_pool="0x" + "55" * 20)
    await setting.issue(only_pool="0x" + "44" * 20)


async def test_the_deadline_is_that_of_the_clock(setting: Setting) -> None:
    setting.world.clock.advance(101)
    with pytest.raises(errors.FinalDeadlineReached):
        await setting.issue()


@pytest.mark.parametrize(("waited_s", "issued"), [(58, True), (61, False)])
async def test_a_challenge_is_valid_for_a_minute(setting: Setting, waited_s: float, issued: bool) -> None:
    if issued:
        await setting.issue(waited_s=waited_s)
        return
    with pytest.raises(errors.ChallengeInvalid, match="expired"):
        await setting.issue(waited_s=waited_s)
    assert not await setting.world.store.is_authorized(setting.task.task_id, setting.worker.address)


async def test_an_authorization_is_stored_once(setting: Setting) -> None:
    """Scenario 32: the authorization is stored once."""
    for _ in range(2):
        await setting.issue()
    assert len([key for key in setting.world.store.authorizations if key[1] == setting.worker.address]) == 1


async def test_a_task_has_tokens_for_a_limited_number_of_workers_until_its_end(setting: Setting) -> None:
    setting.world.store.authorizations.clear()
    first = setting.worker
    await setting.issue()
    for _ in range(MOST_WORKERS - 1):
        setting.worker = Wallet.create()
        await setting.issue()
    setting.worker = Wallet.create()
    with pytest.raises(errors.TooManyAuthorizations, match="64 other workers"):
        await setting.issue()
    setting.worker = first
    await setting.issue()
    store, deadline = setting.world.store, datetime.fromtimestamp(setting.task.final_deadline, UTC)
    assert await store.forget_authorizations(deadline) == 0
    assert await store.forget_authorizations(deadline + timedelta(seconds=1)) == MOST_WORKERS


async def test_an_unreadable_chain_gives_no_token(setting: Setting) -> None:
    """Scenario 32: task and deal are unreadable."""
    setting.world.chain.reachable = False
    with pytest.raises(errors.ChainUnreachable):
        await setting.issue()
