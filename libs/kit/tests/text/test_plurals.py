"""Numbers with their nouns."""

import pytest
from workerpool_kit.text.plurals import counted


@pytest.mark.parametrize(("number", "text"), [(0, "0 workers"), (1, "1 worker"), (2, "2 workers")])
def test_a_noun_follows_its_number(number: int, text: str) -> None:
    assert counted(number, "worker") == text
