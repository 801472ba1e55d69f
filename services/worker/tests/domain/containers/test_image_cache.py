"""Which of the worker's own images may go, and in which order."""

from workerpool_worker.domain.containers.image_cache import JUST_USED_S, OwnImage, expired, oldest_first

NOW = 1_000_000.0


def image(name: str, unused_s: float) -> OwnImage:
    return OwnImage(name, f"sha256:{name}", NOW - unused_s)


def test_images_without_a_recent_task_expire() -> None:
    images = [image("old", 100_000), image("new", 50_000)]
    assert [each.name for each in expired(images, NOW, 86_400)] == ["old"]


def test_an_image_that_a_task_was_just_given_stays() -> None:
    images = [image("just", JUST_USED_S - 1), image("before", JUST_USED_S + 1)]
    assert [each.name for each in expired(images, NOW, 0)] == ["before"]
    assert [each.name for each in oldest_first(images, NOW)] == ["before"]


def test_the_least_recently_used_image_is_removed_first() -> None:
    images = [image("b", 5_000), image("c", 9_000), image("a", 7_000)]
    assert [each.name for each in oldest_first(images, NOW)] == ["c", "a", "b"]
