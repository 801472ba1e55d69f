"""Results of callback deals reach their consumer on the real contracts; an empty one completes the task as well."""

from typing import Any

import grpc
import pytest
from workerpool_kit.grpc.client import error_reason
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import address, to_hex
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb

CONSUMER = address("0x00000000000000000000000000000000000c0de1")
RECORDER = bytes.fromhex("5a600055 366001 55 606435 600255 00".replace(" ", ""))
"""A consumer that stores the gas it was given, the length of its calldata and the word at 0x64 (the data)."""
REVERTING = bytes.fromhex("60006000fd")
LINK = '{"storage":"ethereum","location":"' + CONSUMER + '"}'


def stored(pool: Any, slot: int) -> int:
    answer = pool.chain.chain.rpc.call("eth_getStorageAt", CONSUMER, hex(slot), "latest")
    return int(answer, 16)


@pytest.mark.parametrize("data", [b"", b"\x2a".rjust(32, b"\0")], ids=["callback-failure", "callback data"])
@pytest.mark.parametrize(
    "code", [RECORDER, REVERTING, b""], ids=["a consumer", "one that reverts", "no contract"]
)
async def test_a_callback_deal_is_finalized_with_its_data(
    adapter: Any, pool: Any, data: bytes, code: bytes
) -> None:
    pool.chain.chain.rpc.call("anvil_setCode", CONSUMER, to_hex(code))
    deal = pool.buy(callback=CONSUMER)
    pool.initialize(deal, 0)
    pool.contribute(deal, digest=keccak(data))
    pool.reveal(deal, digest=keccak(data))
    task_id = deal.task_ids[0]
    await adapter.api.Finalize(
        pb.FinalizeRequest(task_id=task_id, result_link=LINK, callback_data=to_hex(data) if data else "")
    )
    await adapter.outcome(task_id, pb.COMMAND_KIND_FINALIZE)
    task = await pool.task(task_id)
    assert task.status is ChainTaskStatus.COMPLETED
    assert (task.results_callback, task.result_digest) == (data, keccak(data))
    if code == RECORDER:
        # receiveResult(bytes32, bytes): selector, task id, offset and length; then the data.
        assert stored(pool, 1) == 4 + 3 * 32 + len(data)
        assert stored(pool, 2) == int.from_bytes(data, "big")
        assert stored(pool, 0) > 90_000, "the consumer gets the contract's whole stipend of gas"


@pytest.mark.parametrize("data", ["", "0x"])
async def test_an_empty_result_of_a_callback_deal_needs_the_digest_of_no_bytes(
    adapter: Any, pool: Any, data: str
) -> None:
    """Workers that contributed the digest of an error text have no bytes to show for it."""
    deal = pool.buy(callback=CONSUMER)
    pool.initialize(deal, 0)
    pool.contribute(deal)
    pool.reveal(deal)
    request = pb.FinalizeRequest(task_id=deal.task_ids[0], result_link=LINK, callback_data=data)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await adapter.api.Finalize(request)
    assert error_reason(refused.value) == "CALLBACK_DATA_MISMATCH"
