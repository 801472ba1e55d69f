import pytest
from eth_utils.crypto import keccak
from workerpool_poco.protocol import results
from workerpool_poco.protocol.ids import DealId, TaskId, task_id_of, to_hex, uint256

WORKER = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
ONE, TWO = uint256(1), uint256(2)
TASK = TaskId(to_hex(ONE))


def test_hash_and_seal_vectors() -> None:
    assert to_hex(results.result_hash(TASK, TWO)) == (
        "0xe90b7bceb6e7df5418fb78d8ee546e97c83a08bbccc01a0644d599ccd2a7c2e0"
    )
    assert to_hex(results.result_seal(WORKER, TASK, TWO)) == (
        "0xbd5b5d09270af9eec5300dee480acaf81665311f1f7495673ac32759ed6cc1d3"
    )
    task, digest = task_id_of(DealId("0x" + "aa" * 32), 3), keccak(b"result")
    assert to_hex(results.result_hash(task, digest)) == (
        "0x073a2a9350290ecaa6954d1a086b7ed9d7531d4f3d91a990706805c64d836440"
    )
    assert to_hex(results.result_seal("0x" + "22" * 20, task, digest)) == (
        "0x51e8a30e70d132f61035993f57e6bfa5ae5d8364c249b831a4c191e567d172b2"
    )


def test_callback_digest_is_the_keccak_of_the_data() -> None:
    assert results.callback_digest(b"\1\2") == keccak(b"\1\2")


def test_folder_digest_is_the_keccak_of_the_hashes_in_the_order_of_the_names() -> None:
    hashes = {"b": b"\2" * 32, "a": b"\1" * 32}
    assert results.folder_digest(hashes) == keccak(b"\1" * 32 + b"\2" * 32)
    with pytest.raises(results.EmptyOutput):
        results.folder_digest({})


def test_enclave_message_hashes_both_commitments() -> None:
    assert results.enclave_message(ONE, TWO) == keccak(ONE + TWO)
