"""Amounts of money as operators read and write them: RLC of nine decimals, coins of eighteen."""

from decimal import Decimal, InvalidOperation, Overflow

_NRLC, _WEI = 10**9, 10**18
_TOO_MANY = 10**28
"""Far more nRLC than there are, and where `Decimal` begins to round."""


def rlc(nrlc: int) -> str:
    """Return an amount in nRLC as RLC, such as `12.5 RLC`."""
    return f"{_text(nrlc, _NRLC)} RLC"


def coins(wei: int) -> str:
    """Return an amount in wei as coins of the chain, such as `0.25 coins`, with at most six significant digits."""
    rounded = Decimal(f"{Decimal(wei):.6g}")
    return f"{_text(int(rounded), _WEI)} coins"


def parse_rlc(text: str) -> int:
    """Return nRLC for an amount in RLC above zero, such as `12.5`. Raises ValueError."""
    try:
        amount = Decimal(text) * _NRLC
    except (InvalidOperation, Overflow):
        raise ValueError(f"{text!r} is not an amount of RLC; write it as 12 or 12.5") from None
    if not amount.is_finite() or not 0 < amount < _TOO_MANY or amount != int(amount):
        raise ValueError(f"{text} is not an amount of RLC: it must be above 0, with at most nine decimals")
    return int(amount)


def _text(amount: int, unit: int) -> str:
    whole, rest = divmod(amount, unit)
    digits = len(str(unit)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0").rstrip(".")
