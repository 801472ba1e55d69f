"""Transactions and their signed bytes: legacy ones (EIP-155) and those of type 2 (EIP-1559)."""

from dataclasses import dataclass, field

from workerpool_poco.errors import InvalidSignature, PocoError
from workerpool_poco.protocol.encoding import rlp
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import Address, address, address_bytes
from workerpool_poco.protocol.signatures import recover_address

_TYPE_2 = b"\x02"
_LEGACY_FIELDS, _TYPE_2_FIELDS = 9, 12
_V_OFFSET = 35
"""EIP-155: v = chain id x 2 + 35 + parity."""
_WORD_BYTES = 32


class NotATransaction(PocoError, ValueError):
    """Bytes are no signed transaction of a known type, or not in its only valid form."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction to sign: `value` in wei; `to` None creates a contract.

    `gas_price` is what a unit of gas pays, in wei. With a `tip` the transaction is of type 2: `gas_price` is the most
    that is paid (maxFeePerGas), and `tip` what the block's producer gets above the base fee (maxPriorityFeePerGas).
    """

    nonce: int
    gas_price: int
    gas: int
    to: Address | None
    value: int
    data: bytes
    chain_id: int
    tip: int | None = None


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A signed transaction, ready to be journaled and then sent."""

    nonce: int
    raw: bytes
    hash: bytes
    transaction: Transaction = field(repr=False)


def signing_hash(transaction: Transaction) -> bytes:
    """Return the hash that the wallet signs."""
    fields = _fields(transaction)
    if transaction.tip is None:
        return keccak(rlp.encode_list([*fields, rlp.integer(transaction.chain_id), b"", b""]))
    return keccak(_TYPE_2 + rlp.encode_list(fields))


def signed_with(transaction: Transaction, signature: bytes) -> SignedTransaction:
    """Return the signed transaction; `signature` is r ‖ s ‖ parity (65 bytes, the last one 0 or 1)."""
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:64]))
    parity, kind = signature[64], b""
    if transaction.tip is None:
        parity += transaction.chain_id * 2 + _V_OFFSET
    else:
        kind = _TYPE_2
    raw = kind + rlp.encode_list([*_fields(transaction), *map(rlp.integer, (parity, r, s))])
    return SignedTransaction(transaction.nonce, raw, keccak(raw), transaction)


def decode_transaction(raw: bytes) -> tuple[SignedTransaction, Address]:
    """Return a transaction and the wallet that signed it, from its signed bytes.

    Raises `NotATransaction`: for other types, for a transaction without replay protection or with an access list,
    and for bytes that a node would refuse.
    """
    try:
        transaction, signature = _decoded(raw)
        signer = recover_address(signing_hash(transaction), signature)
        signed = signed_with(transaction, signature)
    except (rlp.RlpError, InvalidSignature, ValueError, OverflowError) as cause:
        raise NotATransaction(f"not a signed transaction: {cause}") from cause
    if signed.raw != raw:
        raise NotATransaction("not a signed transaction: a field is not in its shortest form")
    return signed, signer


def _fields(transaction: Transaction) -> list[rlp.Item]:
    """Return the fields before the signature, without the chain id of a legacy transaction."""
    target = address_bytes(transaction.to) if transaction.to else b""
    call: list[rlp.Item] = [
        rlp.integer(transaction.gas),
        target,
        rlp.integer(transaction.value),
        transaction.data,
    ]
    nonce, price = rlp.integer(transaction.nonce), rlp.integer(transaction.gas_price)
    if transaction.tip is None:
        return [nonce, price, *call]
    return [rlp.integer(transaction.chain_id), nonce, rlp.integer(transaction.tip), price, *call, []]


def _decoded(raw: bytes) -> tuple[Transaction, bytes]:
    is_type_2 = raw[:1] == _TYPE_2
    items = rlp.decode_list(raw[1:] if is_type_2 else raw)
    if is_type_2:
        if len(items) != _TYPE_2_FIELDS or items.pop(8) != []:
            raise ValueError("a transaction of type 2 has 12 fields and here no access list")
        chain_id, nonce, tip, price, gas, to, value, data, parity, r, s = _strings(items)
        chain, v = _number(chain_id), _number(parity)
    else:
        if len(items) != _LEGACY_FIELDS:
            raise ValueError("a legacy transaction has 9 fields")
        nonce, price, gas, to, value, data, v_bytes, r, s = _strings(items)
        chain, v = divmod(_number(v_bytes) - _V_OFFSET, 2)
        if chain < 0:
            raise ValueError("a legacy transaction names its chain (EIP-155)")
    if v not in (0, 1):
        raise ValueError("the parity of a signature is 0 or 1")
    transaction = Transaction(
        nonce=_number(nonce),
        gas_price=_number(price),
        gas=_number(gas),
        to=address(to) if to else None,
        value=_number(value),
        data=data,
        chain_id=chain,
        tip=_number(tip) if is_type_2 else None,
    )
    return transaction, r.rjust(_WORD_BYTES, b"\0") + s.rjust(_WORD_BYTES, b"\0") + bytes([v])


def _strings(items: list[rlp.Item]) -> list[bytes]:
    strings = [item for item in items if isinstance(item, bytes)]
    if len(strings) != len(items):
        raise ValueError("a field is a list")
    return strings


def _number(digits: bytes) -> int:
    return int.from_bytes(digits, "big")
