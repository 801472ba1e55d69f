"""The typed readers against every shape of answer: they return the value, or say what the node answered."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.chain.answers import (
    Header,
    MinedTransaction,
    read_block,
    read_bytes,
    read_finalized,
    read_header,
    read_known,
    read_quantity,
    read_receipt,
)
from workerpool_poco.errors import ChainUnreachable, MalformedNodeAnswer

HASH, BLOCK = "0x" + "11" * 32, "0x" + "b1" * 32
HEADER = {
    "number": "0x10",
    "hash": BLOCK,
    "parentHash": "0x" + "a0" * 32,
    "timestamp": "0x65000000",
    "gasLimit": "0x4000000000000",
    "baseFeePerGas": "0x989680",
    "logsBloom": "0x" + "00" * 256,
}
RECEIPT = {
    "transactionHash": HASH,
    "blockNumber": "0x9",
    "blockHash": BLOCK,
    "status": "0x1",
    "gasUsed": "0x5208",
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("0x1"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
READERS: list[tuple[Any, Callable[[Any], Any]]] = [
    ("0x7", lambda answer: read_quantity("eth_gasPrice", answer)),
    ("0x", lambda answer: read_bytes("eth_call", answer)),
    (HEADER, lambda answer: read_header("eth_getBlockByNumber", answer)),
    (HEADER, lambda answer: read_block("eth_getBlockByNumber", answer)),
    (RECEIPT, lambda answer: read_receipt(answer, HASH)),
    ({"hash": HASH}, lambda answer: read_known(answer, HASH)),
    ({"number": "0x64"}, read_finalized),
]


@pytest.mark.parametrize(("honest", "read"), READERS)
@given(data=st.data())
def test_no_answer_makes_a_reader_raise_anything_else(
    honest: Any, read: Callable[[Any], Any], data: st.DataObject
) -> None:
    answer = copy.copy(honest)
    if isinstance(answer, dict) and data.draw(st.booleans()):
        for _ in range(data.draw(st.integers(1, 3))):
            field = data.draw(st.sampled_from(sorted(honest)))
            if data.draw(st.booleans()):
                answer.pop(field, None)
            else:
                answer[field] = data.draw(JSON)
        if data.draw(st.booleans()):
            answer[data.draw(st.text(max_size=5))] = data.draw(JSON)
    else:
        answer = data.draw(JSON)
    problem = ""
    try:
        read(answer)
    except ChainUnreachable as error:
        problem = str(error)
    assert not problem or problem.startswith("the node answered ")
    assert "\n" not in problem
    assert len(problem) < 250


def test_honest_answers() -> None:
    assert read_quantity("eth_gasPrice", "0x7") == 7
    assert read_header("x", HEADER) == Header(16, BLOCK, 10**7, 1 << 50, is_arbitrum=False)
    assert read_header("x", HEADER | {"baseFeePerGas": None}).base_fee is None
    assert read_receipt(RECEIPT, HASH) == MinedTransaction(HASH, True, 9, BLOCK, 21_000)
    assert read_known({"hash": HASH.upper().replace("0X", "0x")}, HASH)


@pytest.mark.parametrize(
    "answer", ["7", "0x", "0x-1", "0x1_0", " 0x1", "-0x1", "0x" + "1" * 65, 7, 7.0, True]
)
def test_other_spellings_of_a_number_are_malformed(answer: Any) -> None:
    with pytest.raises(MalformedNodeAnswer, match="to eth_gasPrice"):
        read_quantity("eth_gasPrice", answer)


def test_a_transaction_that_is_not_mined_has_no_receipt() -> None:
    assert read_receipt(None, HASH) is None
    assert read_receipt(RECEIPT | {"blockNumber": None, "blockHash": None}, HASH) is None
    assert read_receipt(RECEIPT | {"blockHash": None, "status": None}, HASH) is None
    assert not read_known(None, HASH)


@pytest.mark.parametrize(
    "wrong", [{"status": None}, {"status": "0x2"}, {"gasUsed": None}, {"transactionHash": BLOCK}], ids=repr
)
def test_an_incomplete_receipt_or_that_of_another_transaction_is_malformed(wrong: dict[str, Any]) -> None:
    with pytest.raises(MalformedNodeAnswer, match=f"eth_getTransactionReceipt: {next(iter(wrong))}"):
        read_receipt(RECEIPT | wrong, HASH)


def test_a_long_answer_is_quoted_in_part() -> None:
    with pytest.raises(MalformedNodeAnswer) as caught:
        read_quantity("eth_gasPrice", "x" * 10_000)
    assert len(str(caught.value)) < 200
