"""Workers that may upload results: the result proxy gives them a token for an authorization of the pool owner."""

import asyncio
from typing import Any

import grpc
from contract.pool import Pool
from patience import PATIENCE_S
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import bound_authorization_hash, sign_authorization
from workerpool_poco.protocol.ids import DealId, TaskId, bytes32, to_hex
from workerpool_protocol.poco.v1.authorization_pb2 import WorkerpoolAuthorization
from workerpool_protocol.result_proxy.v1 import result_service_pb2, result_service_pb2_grpc


async def uploader_token(pool: Pool, wallet: Wallet) -> str:
    """Return a token of the result proxy, for a real task with an authorization of the pool owner."""
    (task,) = await pool.buy()
    known = await _initialized(pool, task)
    authorization = sign_authorization(
        pool.net.accounts["poolOwner"],
        worker=wallet.address,
        task_id=TaskId(task),
        deal_id=DealId(known.deal_id),
        task_index=0,
    )
    stub: Any = result_service_pb2_grpc.ResultServiceStub(pool.channel("result_proxy"))
    challenge = await stub.CreateChallenge(
        result_service_pb2.CreateChallengeRequest(task_id=task, wallet_address=wallet.address)
    )
    signed = bound_authorization_hash(authorization, challenge.audience, bytes32(challenge.nonce))
    request = result_service_pb2.IssueTokenRequest(
        authorization=WorkerpoolAuthorization(
            task_id=task,
            deal_id=known.deal_id,
            worker_wallet=wallet.address,
            enclave_challenge=authorization.enclave_challenge,
            signature=to_hex(authorization.signature),
        ),
        worker_signature=to_hex(wallet.sign_message_hash(signed)),
        audience=challenge.audience,
        nonce=challenge.nonce,
    )
    return str((await stub.IssueToken(request)).token)


async def _initialized(pool: Pool, task: str) -> Any:
    """Wait until the chain adapter has initialized a task."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                found = await pool.task(task)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.NOT_FOUND:
                    raise
            else:
                if found.initialization_block:
                    return found
            await asyncio.sleep(0.02)
