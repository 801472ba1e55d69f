import pytest
from workerpool_poco.errors import MalformedAnswer
from workerpool_poco.protocol.contracts import abi
from workerpool_poco.protocol.contracts.events import (
    SchedulerNotice,
    TaskContribute,
    decode_log,
    topic_of,
    topic_word,
)
from workerpool_poco.protocol.ids import from_hex

POOL = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


def log(topics: list[bytes], data: bytes) -> dict[str, object]:
    return {
        "address": "0x" + "44" * 20,
        "topics": ["0x" + topic.hex() for topic in topics],
        "data": "0x" + data.hex(),
        "blockNumber": "0x10",
        "blockHash": "0x" + "0b" * 32,
        "transactionHash": "0x" + "0c" * 32,
        "logIndex": "0x2",
    }


def test_a_scheduler_notice() -> None:
    event = decode_log(log([topic_of(SchedulerNotice), from_hex(topic_word(POOL))], b"\xaa" * 32))
    assert isinstance(event, SchedulerNotice)
    assert (event.workerpool, event.deal_id) == (POOL, "0x" + "aa" * 32)
    assert (event.position.block_number, event.position.log_index) == (16, 2)
    assert not event.position.removed


def test_indexed_and_plain_values_come_in_the_order_of_the_declaration() -> None:
    topics = [topic_of(TaskContribute), b"\x01" * 32, from_hex(topic_word(POOL))]
    event = decode_log(log(topics, b"\x02" * 32))
    assert isinstance(event, TaskContribute)
    assert (event.task_id, event.worker, event.result_hash) == ("0x" + "01" * 32, POOL, b"\x02" * 32)


def test_an_unknown_event_is_none() -> None:
    assert decode_log(log([b"\x09" * 32], b"")) is None
    assert decode_log(log([], b"")) is None


def test_a_malformed_log_raises_malformed_answer() -> None:
    with pytest.raises(MalformedAnswer):
        decode_log(log([topic_of(SchedulerNotice)], b""))


def test_every_event_of_the_hub_that_is_declared_has_a_distinct_topic() -> None:
    topics = [event.topic for event in abi.HUB.events.values()]
    assert len(set(topics)) == len(topics)
