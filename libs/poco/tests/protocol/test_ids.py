import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol import ids


def test_task_id_vectors() -> None:
    task = "0x51228d61fc5969f4b4c31514dbd178cadfb46762a4b77bf6a99a73fd8f4e0d86"
    assert ids.task_id_of(ids.DealId("0x" + "aa" * 32), 3) == task
    other = "0xada5013122d395ba3c54772283fb069b10426056ef8ca54750cb9bb552a59e7d"
    assert ids.task_id_of(ids.parse_deal_id(ids.uint256(1)), 0) == other


def test_deal_id_hashes_the_request_and_the_first_index() -> None:
    assert str(ids.deal_id_of(b"\x01" * 32, 7)) == ids.task_id_of(ids.DealId("0x" + "01" * 32), 7)


def test_addresses_are_checksummed() -> None:
    assert ids.address("0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a") == (
        "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
    )


@pytest.mark.parametrize("text", ["0x", "0x12", "zz" * 32, "0x" + "11" * 33, "hello"])
def test_malformed_ids_are_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        ids.bytes32(text)
    with pytest.raises(InvalidId):
        ids.address(text)


@given(st.binary(max_size=64))
def test_hexadecimal_text_decodes_to_what_was_encoded(raw: bytes) -> None:
    assert ids.from_hex(ids.to_hex(raw)) == raw
    assert ids.from_hex(raw.hex()) == raw
