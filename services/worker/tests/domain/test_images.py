"""Image names, registries and pull time limits."""

import pytest
from workerpool_worker.domain.images import (
    DOCKER_HUB,
    InvalidImageName,
    local_name,
    pull_limit_s,
    registry_of,
)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("app:1", "app:1"),
        ("docker.io/library/alpine:3", "alpine:3"),
        ("docker.io/me/app:1", "me/app:1"),
        ("registry.example.com:5000/me/app:v1.2", "registry.example.com:5000/me/app:v1.2"),
        ("app@sha256:" + "0" * 64, "app@sha256:" + "0" * 64),
    ],
)
def test_names_are_those_of_the_engine(uri: str, name: str) -> None:
    assert local_name(uri) == name


@pytest.mark.parametrize(
    "uri", ["", "app", "registry:5000/app", "app:", "a b:1", "-rm:1", "app:1;id", "app:é"]
)
def test_a_malformed_name_or_one_without_tag_is_refused(uri: str) -> None:
    with pytest.raises(InvalidImageName):
        local_name(uri)


def test_registry_is_the_first_segment_if_that_is_a_host() -> None:
    assert registry_of("me/app:1") == registry_of("app:1") == DOCKER_HUB
    assert registry_of("localhost/app:1") == "localhost"
    assert registry_of("reg.example.com:5000/app:1") == "reg.example.com:5000"


@pytest.mark.parametrize(
    ("work_minutes", "expected_minutes"),
    [(1, 5), (5, 7), (20, 13), (60, 18), (180, 23), (600, 28), (6000, 30)],
)
def test_pull_limit_grows_with_the_category(work_minutes: int, expected_minutes: int) -> None:
    assert pull_limit_s(work_minutes * 60, 300, 1800) == expected_minutes * 60


def test_maximum_applies_if_the_minimum_exceeds_it() -> None:
    assert pull_limit_s(300, 600, 60) == 60
