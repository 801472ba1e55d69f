"""Short texts: ages and ids."""

from poolctl.domain.texts import age, clock, field, moment, short


def test_a_moment_is_read_from_iso_8601() -> None:
    assert moment("1970-01-01T00:01:00.500Z") == 60.5
    assert moment("1970-01-01T00:01:00") == 60.0
    assert moment("yesterday") is None
    assert moment(None) is None


def test_an_age_of_an_absent_time_is_empty() -> None:
    assert age("1970-01-01T00:00:00Z", 65.0) == "1 min 5 s"
    assert age(None, 65.0) == ""


def test_a_clock_shows_the_time_of_day_in_utc() -> None:
    assert clock("2026-01-02T03:04:05.678Z") == "03:04:05"
    assert clock("") == ""


def test_a_short_id_keeps_what_distinguishes_ids() -> None:
    assert short("0x" + "ab" * 32) == "0xabababab…"
    assert short("0xab") == "0xab"


def test_an_absent_field_is_none() -> None:
    assert field({"a": {"b": 1}}, "a", "b") == 1
    assert field({"a": None}, "a", "b") is None
