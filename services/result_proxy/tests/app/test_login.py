"""A requester logs in with the challenge of the published tools."""

from dataclasses import replace

import pytest
from workerpool_kit.access.tokens import Tokens
from workerpool_kit.clock import FakeClock
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.typed_data import LogChallenge, sign_challenge
from workerpool_result_proxy import errors
from workerpool_result_proxy.app.login import DOMAIN_NAME, REQUESTER_ROLE, Login
from workerpool_result_proxy.domain.challenges import LOGIN_LIFETIME_S

from services.result_proxy.tests.doubles.keys import MemoryKeys

CHAIN_ID = 65535


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def wallet() -> Wallet:
    return Wallet.create()


def tokens_of(clock: FakeClock, keys: MemoryKeys) -> Tokens:
    return Tokens(keys, issuer="p", audience="p", lifetime_s=86_400, rotate_after_s=86_400, clock=clock)


def login_of(clock: FakeClock, keys: MemoryKeys) -> Login:
    return Login(tokens_of(clock, keys), clock, chain_id=CHAIN_ID)


async def test_a_signed_challenge_gives_a_requesters_token(
    clock: FakeClock, keys: MemoryKeys, wallet: Wallet
) -> None:
    login = login_of(clock, keys)
    made = await login.challenge(wallet.address)
    assert made.to_json()["domain"] == {"name": DOMAIN_NAME, "version": "1", "chainId": CHAIN_ID}
    assert made.to_json()["primaryType"] == "Challenge"
    token = await login.token(wallet.address, made.hash, sign_challenge(wallet, made))
    identity = await tokens_of(clock, keys).verify(token)
    assert (identity.subject, identity.roles) == (wallet.address, frozenset({REQUESTER_ROLE}))


async def test_any_proxy_of_the_database_accepts_it(
    clock: FakeClock, keys: MemoryKeys, wallet: Wallet
) -> None:
    made = await login_of(clock, keys).challenge(wallet.address)
    assert await login_of(clock, keys).token(wallet.address, made.hash, sign_challenge(wallet, made))


async def test_it_expires_after_an_hour(clock: FakeClock, keys: MemoryKeys, wallet: Wallet) -> None:
    login = login_of(clock, keys)
    made = await login.challenge(wallet.address)
    signature = sign_challenge(wallet, made)
    clock.advance(LOGIN_LIFETIME_S)
    assert await login.token(wallet.address, made.hash, signature)
    clock.advance(300)
    with pytest.raises(errors.ChallengeInvalid, match="request a new challenge"):
        await login.token(wallet.address, made.hash, signature)


async def test_a_challenge_of_another_service_wallet_or_text_is_refused(
    clock: FakeClock, keys: MemoryKeys, wallet: Wallet
) -> None:
    login = login_of(clock, keys)
    made = await login.challenge(wallet.address)
    others: list[LogChallenge] = [
        replace(made, service="iExec Core"),
        replace(made, challenge="00"),
        await login.challenge(Wallet.create().address),
    ]
    for other in others:
        with pytest.raises(errors.ChallengeInvalid):
            await login.token(wallet.address, other.hash, sign_challenge(wallet, other))


async def test_the_signature_of_another_wallet_is_refused(
    clock: FakeClock, keys: MemoryKeys, wallet: Wallet
) -> None:
    login = login_of(clock, keys)
    made = await login.challenge(wallet.address)
    for signature in (sign_challenge(Wallet.create(), made), bytes(65)):
        with pytest.raises(errors.LoginNotSigned):
            await login.token(wallet.address, made.hash, signature)


@pytest.mark.parametrize("chain_id", ["1", "x", "65535 "])
def test_another_chain_is_named(clock: FakeClock, keys: MemoryKeys, chain_id: str) -> None:
    with pytest.raises(errors.ChainNotServed, match="serves chain 65535"):
        login_of(clock, keys).check_chain(chain_id)


@pytest.mark.parametrize("chain_id", ["", "65535"])
def test_this_chain_or_none_is_accepted(clock: FakeClock, keys: MemoryKeys, chain_id: str) -> None:
    login_of(clock, keys).check_chain(chain_id)
