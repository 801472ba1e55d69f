"""Signing and decoding, against eth-account."""

from typing import Any

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.chain.signed_transactions import NotATransaction, decode_transaction
from workerpool_poco.chain.wallet import Transaction, Wallet
from workerpool_poco.protocol.encoding import rlp

KEY = "0x" + "11" * 32
WALLET = Wallet.from_key(KEY)
TARGET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"

TRANSACTIONS = st.builds(
    Transaction,
    nonce=st.integers(0, 2**64 - 1),
    gas_price=st.integers(10**9, 10**12),
    gas=st.integers(21000, 10**9),
    to=st.sampled_from([None, TARGET]),
    value=st.integers(0, 10**30),
    data=st.binary(max_size=200),
    chain_id=st.sampled_from([1, 134, 31337, 65535, 42161, 421614]),
    tip=st.none() | st.integers(0, 10**9),
)


def signed_by_eth_account(transaction: Transaction) -> Any:
    price = (
        {"gasPrice": transaction.gas_price}
        if transaction.tip is None
        else {"maxFeePerGas": transaction.gas_price, "maxPriorityFeePerGas": transaction.tip, "type": 2}
    )
    fields = {
        "nonce": transaction.nonce,
        "gas": transaction.gas,
        "to": transaction.to or b"",
        "value": transaction.value,
        "data": transaction.data,
        "chainId": transaction.chain_id,
    }
    return Account.sign_transaction(fields | price, KEY)


@given(TRANSACTIONS)
def test_transactions_are_signed_as_eth_account_signs_them(transaction: Transaction) -> None:
    ours, theirs = WALLET.sign_transaction(transaction), signed_by_eth_account(transaction)
    assert ours.raw == bytes(theirs.raw_transaction)
    assert ours.hash == bytes(theirs.hash)
    assert ours.nonce == transaction.nonce


@given(TRANSACTIONS)
def test_what_eth_account_signs_is_decoded_with_its_signer(transaction: Transaction) -> None:
    signed, signer = decode_transaction(bytes(signed_by_eth_account(transaction).raw_transaction))
    assert signed.transaction == transaction
    assert signer == WALLET.address
    assert signed == WALLET.sign_transaction(transaction)


def test_a_free_transaction_is_signed() -> None:
    """Bellecour takes gas for free; eth-account signs a price of 0 as well."""
    free = Transaction(7, 0, 21000, TARGET, 0, b"", 134)
    assert WALLET.sign_transaction(free).raw == bytes(signed_by_eth_account(free).raw_transaction)


def test_the_published_vector_of_eip_155_is_reproduced() -> None:
    """The example in the text of EIP-155."""
    wallet = Wallet.from_key("46" * 32)
    example = Transaction(9, 20 * 10**9, 21000, "0x" + "35" * 20, 10**18, b"", 1)
    assert wallet.sign_transaction(example).raw.hex() == (
        "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a0"
        "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a0"
        "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
    )


@given(st.binary(max_size=150), st.sampled_from([b"", b"\x02", b"\x01", b"\x04"]))
def test_other_bytes_are_no_transaction(data: bytes, kind: bytes) -> None:
    with pytest.raises(NotATransaction):
        decode_transaction(kind + data)


@given(TRANSACTIONS, st.data())
def test_changed_bytes_are_never_a_transaction_of_the_wallet(transaction: Transaction, data: Any) -> None:
    raw = bytearray(WALLET.sign_transaction(transaction).raw)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        _, signer = decode_transaction(bytes(raw))
    except NotATransaction:
        return
    assert signer != WALLET.address


def test_an_access_list_is_refused() -> None:
    signed = Account.sign_transaction(
        {
            "nonce": 1,
            "gas": 30000,
            "to": TARGET,
            "value": 0,
            "data": b"",
            "chainId": 1,
            "maxFeePerGas": 9,
            "maxPriorityFeePerGas": 1,
            "type": 2,
            "accessList": [{"address": TARGET, "storageKeys": ["0x" + "00" * 32]}],
        },
        KEY,
    )
    with pytest.raises(NotATransaction, match="access list"):
        decode_transaction(bytes(signed.raw_transaction))


def test_a_number_with_leading_zeros_is_refused() -> None:
    raw = WALLET.sign_transaction(Transaction(1, 5, 21000, TARGET, 0, b"", 1)).raw
    nonce, *others = rlp.decode_list(raw)
    assert isinstance(nonce, bytes)
    with pytest.raises(NotATransaction, match="shortest form"):
        decode_transaction(rlp.encode_list([b"\0" + nonce, *others]))
