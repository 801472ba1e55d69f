"""Decoding of a signed transaction. The journal stores only its bytes."""

from workerpool_poco.chain.wallet import SignedTransaction, Transaction
from workerpool_poco.protocol.encoding import rlp
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import address, to_hex

_LEGACY_FIELDS = 9
_V_OFFSET = 35


def decode_transaction(raw: bytes) -> SignedTransaction:
    """Return a legacy transaction with replay protection (EIP-155) from its signed bytes.

    Raises ValueError if the bytes are no such transaction. The worker signs no other kind.
    """
    try:
        fields = rlp.decode_list(raw)
    except rlp.RlpError as problem:
        raise ValueError(f"not a transaction: {problem}") from problem
    if len(fields) != _LEGACY_FIELDS:
        raise ValueError("not a legacy transaction")
    nonce, price, gas, to, value, data, v = fields[:7]
    transaction = Transaction(
        nonce=_number(nonce),
        gas_price=_number(price),
        gas=_number(gas),
        to=address(to_hex(to)) if to else None,
        value=_number(value),
        data=data,
        chain_id=(_number(v) - _V_OFFSET) // 2,
    )
    return SignedTransaction(transaction.nonce, raw, keccak(raw), transaction)


def _number(digits: bytes) -> int:
    return int.from_bytes(digits, "big")
