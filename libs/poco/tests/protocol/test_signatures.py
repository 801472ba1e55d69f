import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.errors import InvalidSignature
from workerpool_poco.protocol.signatures import (
    compact_signature,
    eip191_hash,
    recover_address,
    split_signature,
)

_keys = st.integers(min_value=1, max_value=2**128).map(lambda number: number.to_bytes(32, "big"))


@given(key=_keys, digest=st.binary(min_size=32, max_size=32))
def test_both_lengths_of_a_signature_recover_the_signer(key: bytes, digest: bytes) -> None:
    wallet = Wallet.from_key(key)
    signature = wallet.sign_hash(digest)
    assert len(signature) == 65
    assert recover_address(digest, signature) == wallet.address
    short = compact_signature(signature)
    assert len(short) == 64
    assert recover_address(digest, short) == wallet.address
    assert split_signature(short) == split_signature(signature)


def test_a_signature_equals_the_one_of_eth_account() -> None:
    key, digest = b"\x11" * 32, b"\x22" * 32
    wallet = Wallet.from_key(key)
    assert wallet.sign_hash(digest) == bytes(Account.unsafe_sign_hash(digest, key).signature)
    personal = Account.sign_message(encode_defunct(digest), key).signature
    assert wallet.sign_message_hash(digest) == bytes(personal)


def test_recovery_bytes_0_and_1_are_accepted() -> None:
    wallet, digest = Wallet.create(), b"\x01" * 32
    signature = wallet.sign_hash(digest)
    assert recover_address(digest, signature[:64] + bytes([signature[64] - 27])) == wallet.address


@pytest.mark.parametrize(
    "signature", [b"", b"\1" * 63, b"\1" * 66, b"\0" * 65, b"\0" * 64, b"\1" * 64 + b"\x05"]
)
def test_malformed_signatures_are_refused(signature: bytes) -> None:
    with pytest.raises(InvalidSignature):
        recover_address(b"\x01" * 32, signature)


def test_only_32_byte_messages_are_prefixed() -> None:
    with pytest.raises(InvalidSignature):
        eip191_hash(b"short")
