"""The unary calls to the scheduler: its configuration, and logging in with the wallet."""

import json
from dataclasses import dataclass
from typing import Any

import grpc
from workerpool_kit.grpc.client import error_reason, open_channel
from workerpool_kit.targets import grpc_target_of
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.ids import Address, address, to_hex
from workerpool_poco.protocol.typed_data import LoginChallenge, sign_challenge
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.worker_service_pb2_grpc import WorkerServiceStub

from workerpool_worker.errors import CoreRefused

_CALL_LIMIT_S = 10.0
_FOR_GOOD = frozenset(
    {
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
    }
)
_FOREIGN_REPLICATE = "FOREIGN_REPLICATE"
"""The scheduler's word when output comes from a replicate that it lost, as in a reorganisation of the chain, and this
worker did not hear of it yet: the next Hello settles what is held."""


@dataclass(frozen=True, slots=True)
class PoolConfiguration:
    """What the scheduler tells every worker."""

    workerpool: Address
    config_server_url: str
    result_proxy_url: str
    required_worker_version: str
    scheduler_version: str

    @classmethod
    def of(cls, message: pb.PublicConfiguration) -> "PoolConfiguration":
        """Read the message; raises CoreRefused when it names no workerpool."""
        try:
            workerpool = address(message.workerpool)
        except InvalidId as problem:
            raise CoreRefused(f"the scheduler names no workerpool: {problem}") from problem
        return cls(
            workerpool,
            message.config_server_url,
            message.result_proxy_url,
            message.required_worker_version,
            message.scheduler_version,
        )


class CoreClient:
    """One connection to the scheduler, for calls and for the stream."""

    def __init__(self, core_url: str) -> None:
        """Prepare, without connecting; raises ValueError when the URL has no port."""
        self.url = core_url
        self.channel = open_channel(grpc_target_of(core_url), own_subchannel=True)
        self.stub = WorkerServiceStub(self.channel)

    async def close(self) -> None:
        """Close the connection."""
        await self.channel.close(None)

    def stream(self, token: str) -> Any:
        """Open the worker's stream, for `write` and `read` (the stubs only know the form with an iterator)."""
        connect: Any = self.stub.Connect
        return connect(metadata=(("authorization", f"Bearer {token}"),))

    async def configuration(self) -> PoolConfiguration:
        """Read the pool's public configuration. Raises grpc.aio.AioRpcError or CoreRefused."""
        answer = await self.stub.GetConfig(pb.GetConfigRequest(), timeout=_CALL_LIMIT_S)
        return PoolConfiguration.of(answer.configuration)

    async def login(self, wallet: Wallet, workerpool: Address, chain_id: int) -> str:
        """Sign a challenge and return the bearer token.

        Only a challenge for this wallet, pool and chain is signed. Raises grpc.aio.AioRpcError (the scheduler does not
        answer) or CoreRefused (it does not want this worker).
        """
        try:
            challenge = await self.stub.CreateChallenge(
                pb.CreateChallengeRequest(wallet_address=wallet.address), timeout=_CALL_LIMIT_S
            )
            signature = sign_challenge(
                wallet, _login(challenge.typed_data_json, wallet.address, workerpool, chain_id)
            )
            answer = await self.stub.Login(
                pb.LoginRequest(wallet_address=wallet.address, signature=to_hex(signature)),
                timeout=_CALL_LIMIT_S,
            )
        except grpc.aio.AioRpcError as error:
            if refused_for_good(error):
                raise CoreRefused(
                    f"the scheduler refuses the wallet {wallet.address}: {describe(error)}"
                ) from error
            raise
        return str(answer.token)


def refused_for_good(error: grpc.aio.AioRpcError) -> bool:
    """Tell whether asking again is useless."""
    return error.code() in _FOR_GOOD and error_reason(error) != _FOREIGN_REPLICATE


def describe(error: grpc.aio.AioRpcError) -> str:
    """Return reason and text of a gRPC error."""
    return f"{error_reason(error) or error.code().name}: {error.details()}"


def _login(typed_data_json: str, wallet: Address, workerpool: Address, chain_id: int) -> LoginChallenge:
    """Rebuild the challenge from what this worker knows, and make sure that it is what the scheduler wants signed."""
    try:
        given: dict[str, Any] = json.loads(typed_data_json)
        message, domain = given["message"], given["domain"]
        challenge = LoginChallenge(
            wallet, message["challenge"], int(message["issuedAt"]), chain_id, workerpool
        )
        same = (
            address(domain["verifyingContract"]) == address(workerpool)
            and int(domain["chainId"]) == chain_id
            and address(message["wallet"]) == wallet
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise CoreRefused("the scheduler's login challenge is not readable") from problem
    if not same:
        raise CoreRefused(
            "the scheduler's login challenge is for another wallet, workerpool or chain; not signed"
        )
    return challenge
