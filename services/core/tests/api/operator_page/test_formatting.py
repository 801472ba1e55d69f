"""Values as people read them."""

import math

import pytest
from workerpool_core.api.operator_page.formatting import coins, gwei, moment, rlc, short, size, span, tail

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("seconds", "distance"),
    [
        (NOW, "0 s ago"),
        (NOW - 59.9, "59 s ago"),
        (NOW - 3_600, "1 h ago"),
        (NOW + 90, "in 1 min"),
        (NOW - 3e6, "34 d ago"),
    ],
)
def test_a_date_has_its_distance(seconds: float, distance: str) -> None:
    found = moment(seconds, NOW)
    assert found is not None
    assert found.distance == distance


def test_a_date_is_machine_readable_and_bounded() -> None:
    assert moment(NOW + 0.9, NOW - 1) == ("2023-11-14T22:13:20Z", "2023-11-14 22:13:20 UTC", "in 1 s")
    assert moment(0, NOW) is None
    for endless in (math.inf, 1e30):
        assert moment(endless, NOW) == ("9999-12-31T23:59:59Z", "without end", "")


@pytest.mark.parametrize(("seconds", "text"), [(-5, "0 s"), (0.5, "0 s"), (61, "1 min"), (200_000, "2 d")])
def test_durations(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_amounts_are_exact() -> None:
    assert rlc(12_500_000_001) == "12.500000001 RLC"
    assert rlc(0) == "0 RLC"
    assert coins(10**18) == "1"
    assert coins(1) == "0.000000000000000001"
    assert gwei(1_500_000_000) == "1.5 gwei"
    assert (size(8 << 30), size(512 << 20)) == ("8.0 GiB", "512 MiB")


def test_ids_are_shortened_to_their_ends() -> None:
    assert short("0x" + "ab" * 32) == "0xabababab…ababab"
    assert short("0x12") == "0x12"


def test_the_end_of_an_output_is_shown_without_colours() -> None:
    written = "\x1b[31mred\x1b[0m\n" + "\n".join(str(number) for number in range(10)) + "\n"
    assert tail(written, 3, 1_000) == ("7\n8\n9", True)
    assert tail(written, 100, 1_000) == (
        written.replace("\x1b[31m", "").replace("\x1b[0m", "").rstrip(),
        False,
    )
    assert tail("x" * 50, 10, 20) == ("x" * 20, True)
    assert tail("", 10, 20) == ("", False)
