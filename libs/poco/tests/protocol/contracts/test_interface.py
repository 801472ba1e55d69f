"""Answers of nodes that decode only in part, or not."""

import pytest
from eth_abi import abi as eth_abi
from workerpool_poco.errors import EmptyAnswer
from workerpool_poco.protocol.contracts.interface import Event, Function, Parameter

TEXT = Function("params", (), ("(uint256,string)",))


def test_text_that_is_not_utf_8_gets_replacement_characters() -> None:
    # A string and bytes have the same encoding.
    answer = eth_abi.encode(["(uint256,bytes)"], [(7, b'{"iexec_args":"\xff\xfe"}')])
    assert TEXT.decode(answer) == ((7, '{"iexec_args":"��"}'),)


def test_text_of_events_that_is_not_utf_8_gets_replacement_characters() -> None:
    event = Event("Said", (Parameter("string", "what"),))
    assert event.decode([event.topic], eth_abi.encode(["bytes"], [b"a\xff"])) == ("a�",)


def test_utf_8_text_is_decoded_unchanged() -> None:
    assert TEXT.decode(eth_abi.encode(["(uint256,string)"], [(1, "héllo ✓")])) == ((1, "héllo ✓"),)


def test_an_empty_answer_raises_empty_answer() -> None:
    with pytest.raises(EmptyAnswer, match="no such contract"):
        TEXT.decode(b"")


def test_a_function_without_outputs_accepts_an_empty_answer() -> None:
    assert Function("touch", ()).decode(b"") == ()
