"""A token for an authorization that the chain confirms."""

from dataclasses import replace
from typing import Any

import pytest
from workerpool_kit.access.tokens import SigningKey, Tokens
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import sign_authorization
from workerpool_poco.protocol.model import Resource
from workerpool_result_proxy import errors
from workerpool_result_proxy.app.issue_token import WORKER_ROLE, IssueToken

World = Any


class Keys:
    """A key store in memory."""

    def __init__(self) -> None:
        self.keys: list[SigningKey] = []

    def load(self) -> list[SigningKey]:
        return self.keys

    def save(self, key: SigningKey) -> None:
        self.keys.append(key)


class Setting:
    """A task, the owner of its pool, a worker, and the use case."""

    def __init__(self, world: World) -> None:
        self.world, self.owner, self.worker = world, Wallet.create(), Wallet.create()
        self.task = replace(world.task, final_deadline=int(world.clock.now()) + 100)
        pool = Resource("0x" + "44" * 20, self.owner.address, 0)
        world.chain.tasks[self.task.task_id] = self.task
        world.chain.deals[self.task.deal_id] = replace(world.deal, workerpool=pool)
        self.tokens = Tokens(
            Keys(), issuer="proxy", audience="proxy", lifetime_s=60, rotate_after_s=60, clock=world.clock
        )

    async def issue(self, *, signer: Wallet | None = None, only_pool: str | None = None) -> tuple[str, int]:
        authorization = sign_authorization(
            signer or self.owner,
            worker=self.worker.address,
            task_id=self.task.task_id,
            deal_id=self.task.deal_id,
            task_index=0,
        )
        world = self.world
        use_case = IssueToken(world.chain, world.store, self.tokens, world.clock, only_pool=only_pool)
        return await use_case.issue(authorization, self.worker.sign_message_hash(authorization.hash))


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
