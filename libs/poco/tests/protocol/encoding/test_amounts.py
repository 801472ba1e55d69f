"""Amounts as operators write and read them."""

import pytest
from workerpool_poco.protocol.encoding.amounts import coins, parse_rlc, rlc


@pytest.mark.parametrize(("text", "nrlc"), [("12", 12 * 10**9), ("12.5", 12_500_000_000), ("0.000000001", 1)])
def test_rlc_has_nine_decimals(text: str, nrlc: int) -> None:
    assert parse_rlc(text) == nrlc
    assert rlc(nrlc) == f"{text} RLC"


@pytest.mark.parametrize(
    "text", ["0", "-1", "1.0000000001", "nan", "inf", "many", "", "1e20", "1e99999", "1e999999999"]
)
def test_no_amount_of_rlc(text: str) -> None:
    with pytest.raises(ValueError, match="amount of RLC"):
        parse_rlc(text)


def test_coins_are_rounded() -> None:
    assert coins(10**18) == "1 coins"
    assert coins(123_456_789_000_000_000) == "0.123457 coins"
    assert coins(0) == "0 coins"
