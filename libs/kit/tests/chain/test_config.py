"""Which chain configurations can be used."""

from dataclasses import replace

import pytest
from workerpool_kit.chain.config import ChainConfig

BELLECOUR = ChainConfig(134, True, "https://node.example", "0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f", 5.0)


def test_documented_configuration_has_no_problem() -> None:
    assert BELLECOUR.problem() == ""


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"chain_id": 0}, "the chain id is 0"),
        ({"hub_address": "0x12"}, "the hub address is '0x12'"),
        ({"block_time_s": 0.05}, "the block time is 0.05 s"),
        ({"block_time_s": 21.0}, "the block time is 21 s"),
        ({"block_time_s": float("nan")}, "the block time is nan s"),
    ],
)
def test_value_out_of_range_is_named(changed: dict[str, float | str], named: str) -> None:
    assert replace(BELLECOUR, **changed).problem() == named  # type: ignore[arg-type]
