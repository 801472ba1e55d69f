"""Login of a worker: it signs its own challenge with its own key, once."""

import asyncio
import dataclasses
import json
import time
from typing import Any

import grpc
import jwt
import pytest
from contract.pool import Pool
from grpc import StatusCode
from patience import PATIENCE_S
from workerpool_kit.grpc.client import error_reason
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.typed_data import LoginChallenge, sign_challenge
from workerpool_poco.protocol.ids import to_hex
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatus as R

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

BAD_CHALLENGE = (StatusCode.UNAUTHENTICATED, "BAD_CHALLENGE")
BAD_SIGNATURE = (StatusCode.UNAUTHENTICATED, "BAD_SIGNATURE")


def signed(wallet: Wallet, challenge: LoginChallenge, signer: Wallet | None = None) -> pb.LoginRequest:
    """Return the login request of `wallet`, signed with the key of `signer`."""
    signature = to_hex(sign_challenge(signer or wallet, challenge))
    return pb.LoginRequest(wallet_address=wallet.address, signature=signature)


async def login(pool: Pool, request: pb.LoginRequest) -> tuple[StatusCode, str | None]:
    try:
        await pool.workers.Login(request, timeout=PATIENCE_S)
    except grpc.aio.AioRpcError as error:
        return error.code(), error_reason(error)
    return StatusCode.OK, None


async def test_a_challenge_is_bound_to_wallet_chain_and_pool_and_lasts_sixty_seconds(pool: Pool) -> None:
    wallet = Wallet.create()
    asked_at = time.time()
    asked = await pool.workers.CreateChallenge(pb.CreateChallengeRequest(wallet_address=wallet.address))
    data = json.loads(asked.typed_data_json)
    assert data["primaryType"] == "Login"
    assert data["types"]["Login"] == [
        {"name": "wallet", "type": "address"},
        {"name": "challenge", "type": "string"},
        {"name": "issuedAt", "type": "uint256"},
    ]
    assert data["domain"] == {
        "name": "Workerpool Core",
        "version": "1",
        "chainId": pool.net.chain.chain_id,
        "verifyingContract": pool.net.workerpool,
    }
    assert data["message"]["wallet"] == wallet.address
    lasts = asked.expires_at.ToMicroseconds() / 1e6 - asked_at
    assert 60 <= lasts < 65
    assert asked_at - 1 <= data["message"]["issuedAt"] <= time.time()


async def test_a_challenge_is_accepted_once(pool: Pool) -> None:
    wallet = Wallet.create()
    request = signed(wallet, await pool.challenge(wallet))
    assert await login(pool, request) == (StatusCode.OK, None)
    assert await login(pool, request) == BAD_CHALLENGE
    # The old signature does not match the next challenge.
    assert (await pool.challenge(wallet)).challenge
    assert await login(pool, request) == BAD_SIGNATURE


async def test_one_of_several_concurrent_replays_is_accepted(pool: Pool) -> None:
    wallet = Wallet.create()
    request = signed(wallet, await pool.challenge(wallet))
    answers = await asyncio.gather(*(login(pool, request) for _ in range(20)))
    assert sorted(answers, key=str) == sorted([(StatusCode.OK, None), *19 * [BAD_CHALLENGE]], key=str)


async def test_a_made_up_challenge_is_refused(pool: Pool) -> None:
    wallet = Wallet.create()
    made_up = LoginChallenge(
        wallet.address, "made up", int(time.time()), pool.net.chain.chain_id, pool.net.workerpool
    )
    assert await login(pool, signed(wallet, made_up)) == BAD_CHALLENGE


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": 1},
        {"workerpool": "0x" + "12" * 20},
        {"challenge": "another"},
        {"issued_at": 1},
        {"wallet": "0x" + "12" * 20},
    ],
    ids=["another chain", "another pool", "another challenge", "another time", "another wallet"],
)
async def test_a_signature_of_a_changed_challenge_is_refused(pool: Pool, change: dict[str, Any]) -> None:
    wallet = Wallet.create()
    challenge = await pool.challenge(wallet)
    assert await login(pool, signed(wallet, dataclasses.replace(challenge, **change))) == BAD_SIGNATURE
    # A failed attempt does not use up the challenge: no stranger can block a wallet.
    assert await login(pool, signed(wallet, challenge)) == (StatusCode.OK, None)


async def test_another_key_is_refused(pool: Pool) -> None:
    wallet, thief = Wallet.create(), Wallet.create()
    challenge = await pool.challenge(wallet)
    assert await login(pool, signed(wallet, challenge, signer=thief)) == BAD_SIGNATURE
    # The thief cannot log in with its own wallet and the challenge of another wallet.
    await pool.challenge(thief)
    assert await login(pool, signed(thief, challenge)) == BAD_SIGNATURE


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("wallet_address", ""),
        ("wallet_address", "0x12"),
        ("wallet_address", "z" * 42),
        ("signature", ""),
        ("signature", "0x12"),
        ("signature", "0x" + "11" * 66),
    ],
)
async def test_malformed_requests_are_refused(pool: Pool, field: str, value: str) -> None:
    wallet = Wallet.create()
    request = signed(wallet, await pool.challenge(wallet))
    setattr(request, field, value)
    assert await login(pool, request) == (StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")


@pytest.mark.parametrize("signature", ["00" * 65, "ff" * 65, "11" * 64, "00" * 64 + "1b"])
async def test_signatures_without_a_valid_signer_are_refused(pool: Pool, signature: str) -> None:
    wallet = Wallet.create()
    await pool.challenge(wallet)
    request = pb.LoginRequest(wallet_address=wallet.address, signature="0x" + signature)
    assert await login(pool, request) == BAD_SIGNATURE


async def test_repeated_challenges_of_a_wallet_are_the_same(pool: Pool) -> None:
    wallet = Wallet.create()
    # A server admits 200 calls of one connection at once.
    batches = [await asyncio.gather(*(pool.challenge(wallet) for _ in range(100))) for _ in range(5)]
    asked = [challenge for batch in batches for challenge in batch]
    assert len(set(asked)) == 1
    lower = await pool.workers.CreateChallenge(
        pb.CreateChallengeRequest(wallet_address=wallet.address.lower())
    )
    assert json.loads(lower.typed_data_json)["message"]["challenge"] == asked[0].challenge
    assert await login(pool, signed(wallet, asked[-1])) == (StatusCode.OK, None)


async def test_a_token_names_wallet_pool_and_expiry(pool: Pool) -> None:
    wallet = Wallet.create()
    asked_at = time.time()
    answer = await pool.workers.Login(signed(wallet, await pool.challenge(wallet)))
    claims = jwt.decode(answer.token, options={"verify_signature": False})
    assert (claims["sub"], claims["aud"], claims["roles"]) == (
        wallet.address,
        pool.net.workerpool,
        ["worker"],
    )
    assert claims["exp"] == pytest.approx(asked_at + 3600, abs=5)
    assert answer.expires_at.seconds == pytest.approx(claims["exp"], abs=2)


async def test_a_token_survives_a_restart_and_a_challenge_does_not(pool: Pool) -> None:
    wallet, late = pool.net.worker_wallets[0], Wallet.create()
    stream = await pool.connect(wallet)
    token = pool.tokens[wallet.address]
    pending = signed(late, await pool.challenge(late))

    core = pool.net.services["core"]
    core.kill()
    assert (await stream.ended())[0] is StatusCode.UNAVAILABLE
    await core.restart()
    async with asyncio.timeout(PATIENCE_S):
        await pool.channel().channel_ready()

    assert pool.tokens[wallet.address] == token
    again = await pool.connect(wallet)
    refused = await again.answer("0x" + "ab" * 32, R.REPLICATE_STATUS_STARTING)
    assert refused.reason == "UNKNOWN_REPLICATE"
    await again.close()
    assert await login(pool, pending) == BAD_CHALLENGE
