"""Login of a worker: a challenge signed by its wallet yields a token."""

from typing import Any

import grpc
from workerpool_poco.chain.wallet import Wallet
from workerpool_protocol.core.v1 import worker_service_pb2 as pb


def ask(wallet: Wallet) -> pb.CreateChallengeRequest:
    return pb.CreateChallengeRequest(wallet_address=wallet.address)


async def test_a_challenge_is_valid_for_one_login(api: Any, wallet: Wallet) -> None:
    request = await api.signed_login(wallet)
    await api.workers.Login(request)
    assert await api.refused(api.workers.Login(request)) == (grpc.StatusCode.UNAUTHENTICATED, "BAD_CHALLENGE")


async def test_s46_a_challenge_stays_the_same_until_it_is_used(api: Any, wallet: Wallet) -> None:
    first = (await api.workers.CreateChallenge(ask(wallet))).typed_data_json
    assert (await api.workers.CreateChallenge(ask(wallet))).typed_data_json == first
    await api.login(wallet)
    assert (await api.workers.CreateChallenge(ask(wallet))).typed_data_json != first


async def test_a_challenge_expires_after_sixty_seconds(api: Any, wallet: Wallet) -> None:
    request = await api.signed_login(wallet)
    api.clock.advance(60)
    assert await api.refused(api.workers.Login(request)) == (grpc.StatusCode.UNAUTHENTICATED, "BAD_CHALLENGE")


async def test_a_challenge_signed_by_another_wallet_is_refused(api: Any, wallet: Wallet) -> None:
    request = await api.signed_login(wallet, signer=Wallet.create())
    assert await api.refused(api.workers.Login(request)) == (grpc.StatusCode.UNAUTHENTICATED, "BAD_SIGNATURE")


async def test_s46_a_wallet_off_the_whitelist_gets_no_challenge(open_api: Any, wallet: Wallet) -> None:
    api = await open_api(whitelist=(Wallet.create().address,))
    assert await api.refused(api.workers.CreateChallenge(ask(wallet))) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "NOT_WHITELISTED",
    )


async def test_s46_the_whitelist_is_read_in_any_case(open_api: Any, wallet: Wallet) -> None:
    api = await open_api(whitelist=(wallet.address.lower(),))
    stub = api.workers
    await stub.CreateChallenge(pb.CreateChallengeRequest(wallet_address="0x" + wallet.address[2:].upper()))
    await api.login(wallet)
