"""Unary calls to the scheduler: its public configuration and the login with the worker's wallet."""

from dataclasses import dataclass
from typing import Any

import grpc
from workerpool_kit.grpc.client import error_reason, open_service
from workerpool_kit.grpc.times import InvalidTime, unix_time_of
from workerpool_kit.reasons import FOREIGN_REPLICATE
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.encoding.json_text import loads_bounded
from workerpool_poco.protocol.encoding.typed_data import LoginChallenge, sign_challenge
from workerpool_poco.protocol.ids import Address, address, to_hex
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.pool_service_pb2 import GetWorkerRequest, GetWorkerResponse
from workerpool_protocol.core.v1.pool_service_pb2_grpc import PoolServiceStub
from workerpool_protocol.core.v1.worker_service_pb2_grpc import WorkerServiceStub

from workerpool_worker.errors import CoreRefused

_CALL_LIMIT_S = 10.0
_PERMANENT = frozenset(
    {
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
    }
)


@dataclass(frozen=True, slots=True)
class PoolConfiguration:
    """The scheduler's public configuration."""

    workerpool: Address
    config_server_url: str
    result_proxy_url: str
    required_worker_version: str
    scheduler_version: str

    @classmethod
    def of(cls, message: pb.PublicConfiguration) -> "PoolConfiguration":
        """Return the configuration of a message. Raises `CoreRefused` if it names no workerpool."""
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
    """One channel to the scheduler, for unary calls and the stream."""

    def __init__(self, core_url: str, target: str | None = None) -> None:
        """Open a channel without connecting, to the gRPC `target` if one is set.

        Raises ValueError if the URL has no port.
        """
        self.url = core_url
        self.channel = open_service(core_url, target=target, own_subchannel=True)
        self.stub = WorkerServiceStub(self.channel)
        self._pool_service = PoolServiceStub(self.channel)

    async def close(self) -> None:
        """Close the channel."""
        await self.channel.close(None)

    def stream(self, token: str) -> Any:
        """Open the worker's stream for `write` and `read`. The stub's type covers only the iterator form."""
        connect: Any = self.stub.Connect
        return connect(metadata=(("authorization", f"Bearer {token}"),))

    async def configuration(self) -> PoolConfiguration:
        """Return the pool's public configuration. Raises `AioRpcError` or `CoreRefused`."""
        return (await self.configuration_and_clock(limit_s=_CALL_LIMIT_S))[0]

    async def configuration_and_clock(self, *, limit_s: float) -> tuple[PoolConfiguration, float | None]:
        """Return the configuration, and the scheduler's clock in Unix seconds; None when it reports none.

        Raises `AioRpcError` or `CoreRefused`.
        """
        answer = await self.stub.GetConfig(pb.GetConfigRequest(), timeout=limit_s)
        try:
            told = unix_time_of("server_time", answer.server_time) if answer.HasField("server_time") else None
        except InvalidTime:
            # A time beyond the calendar is no clock; no work depends on it.
            told = None
        return PoolConfiguration.of(answer.configuration), told

    async def challenge(self, wallet: Address, *, limit_s: float = _CALL_LIMIT_S) -> str:
        """Return the challenge of a wallet as JSON. Raises `AioRpcError`, also when the pool does not admit it."""
        request = pb.CreateChallengeRequest(wallet_address=wallet)
        answer = await self.stub.CreateChallenge(request, timeout=limit_s)
        return str(answer.typed_data_json)

    async def worker(self, wallet: Address, *, limit_s: float) -> GetWorkerResponse:
        """Return what the scheduler knows of a worker. Raises `AioRpcError`, also for an unknown worker."""
        request = GetWorkerRequest(wallet_address=wallet)
        return await self._pool_service.GetWorker(request, timeout=limit_s)

    async def login(self, wallet: Wallet, workerpool: Address, chain_id: int) -> str:
        """Sign a challenge and return the bearer token.

        Only a challenge for this wallet, workerpool and chain is signed. Raises `AioRpcError` if the scheduler does
        not answer, `CoreRefused` if it refuses this worker.
        """
        try:
            challenge = await self.challenge(wallet.address)
            signature = sign_challenge(
                wallet, _checked_challenge(challenge, wallet.address, workerpool, chain_id)
            )
            answer = await self.stub.Login(
                pb.LoginRequest(wallet_address=wallet.address, signature=to_hex(signature)),
                timeout=_CALL_LIMIT_S,
            )
        except grpc.aio.AioRpcError as error:
            if is_permanent(error):
                raise CoreRefused(
                    f"the scheduler refuses the wallet {wallet.address}: {describe(error)}"
                ) from error
            raise
        return str(answer.token)


def is_permanent(error: grpc.aio.AioRpcError) -> bool:
    """Return whether a retry of the call is useless.

    `FOREIGN_REPLICATE` is transient: the scheduler no longer assigns a replicate to this worker, for example after a
    chain reorganization, and the next Hello reconciles the replicates.
    """
    return error.code() in _PERMANENT and error_reason(error) != FOREIGN_REPLICATE


def describe(error: grpc.aio.AioRpcError) -> str:
    """Return the reason and the text of a gRPC error."""
    return f"{error_reason(error) or error.code().name}: {error.details()}"


def _checked_challenge(
    typed_data_json: str, wallet: Address, workerpool: Address, chain_id: int
) -> LoginChallenge:
    """Return the challenge built from the worker's own values. Raises `CoreRefused` if the scheduler's differs."""
    try:
        given: dict[str, Any] = loads_bounded(typed_data_json)
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
        raise CoreRefused("the scheduler's login challenge is malformed") from problem
    if not same:
        raise CoreRefused(
            "the scheduler's login challenge is for another wallet, workerpool or chain; it was not signed"
        )
    return challenge
