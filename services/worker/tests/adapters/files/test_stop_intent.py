"""What the operator said about the next stop."""

from pathlib import Path

from workerpool_worker.adapters.files.stop_intent import say_return_within, take_return_within


def test_a_return_time_counts_once(tmp_path: Path) -> None:
    say_return_within(tmp_path, 600.0)
    assert take_return_within(tmp_path, 60.0) == 600.0
    assert take_return_within(tmp_path, 60.0) == 60.0


def test_an_unreadable_return_time_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "return-within").write_text("soon")
    assert take_return_within(tmp_path, 60.0) == 60.0
    assert list(tmp_path.iterdir()) == []
