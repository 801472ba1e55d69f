"""Hashes of typed data against eth-account's general encoder."""

from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.protocol.encoding.eip712 import Eip712Domain, fields_of, type_hash
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import address

TYPE = "Note(address author,string text,bytes data,bytes32 tag,uint256 number)"
CONTRACT = address(b"\x44" * 20)


@given(
    text=st.text(max_size=50),
    data=st.binary(max_size=50),
    number=st.integers(0, 2**256 - 1),
    contract=st.sampled_from([None, CONTRACT]),
)
def test_digests_equal_those_of_eth_account(
    text: str, data: bytes, number: int, contract: str | None
) -> None:
    domain = Eip712Domain("Notes", "1", 65535, contract)
    message = {"author": CONTRACT, "text": text, "data": data, "tag": b"\x05" * 32, "number": number}
    typed = encode_typed_data(full_message=domain.to_json(TYPE, message))
    assert domain.digest(TYPE, list(message.values())) == keccak(b"\x19\x01" + typed.header + typed.body)


def test_the_fields_of_a_type() -> None:
    assert fields_of("Login(address wallet,string challenge)") == [
        ("address", "wallet"),
        ("string", "challenge"),
    ]


def test_the_type_hash_is_the_keccak_of_the_type() -> None:
    assert type_hash(TYPE) == keccak(TYPE.encode())
