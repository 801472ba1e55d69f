"""What nodes answer, decoded as far as it can be."""

import pytest
from eth_abi import abi as eth_abi
from workerpool_poco.errors import EmptyAnswer
from workerpool_poco.protocol.contracts.interface import Event, Function, Parameter

TEXT = Function("params", (), ("(uint256,string)",))


def test_text_that_is_not_utf8_is_read_with_replacement_characters() -> None:
    # A string and bytes look the same on the wire.
    answer = eth_abi.encode(["(uint256,bytes)"], [(7, b'{"iexec_args":"\xff\xfe"}')])
    assert TEXT.decode(answer) == ((7, '{"iexec_args":"��"}'),)


def test_text_of_events_too() -> None:
    event = Event("Said", (Parameter("string", "what"),))
    assert event.decode([event.topic], eth_abi.encode(["bytes"], [b"a\xff"])) == ("a�",)


def test_utf8_stays_what_it_is() -> None:
    assert TEXT.decode(eth_abi.encode(["(uint256,string)"], [(1, "héllo ✓")])) == ((1, "héllo ✓"),)


def test_no_answer_at_all_has_its_own_name() -> None:
    with pytest.raises(EmptyAnswer, match="no such contract"):
        TEXT.decode(b"")


def test_a_function_that_returns_nothing_may_answer_nothing() -> None:
    assert Function("touch", ()).decode(b"") == ()
