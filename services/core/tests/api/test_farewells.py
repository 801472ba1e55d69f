"""A worker that leaves says within which time it is back."""

from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from workerpool_poco.chain.wallet import Wallet
from workerpool_protocol.core.v1 import worker_service_pb2 as pb


async def test_a_farewell_with_a_malformed_time_is_refused_by_name(api: Any, wallet: Wallet) -> None:
    stream = await api.connect(wallet)
    await stream.receive()
    await stream.send(leave=pb.Leave(return_within=Duration(seconds=5, nanos=2_000_000_000)))
    with pytest.raises(
        grpc.aio.AioRpcError, match="return_within: 5 s and 2000000000 ns are not a dur"
    ) as refused:
        await stream.ended()
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
