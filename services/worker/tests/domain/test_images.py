"""Image names and pull time limits."""

import pytest
from workerpool_worker.domain.images import InvalidImageName, local_name, pull_limit_s


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("app:1", "app:1"),
        ("docker.io/library/alpine:3", "alpine:3"),
        ("docker.io/me/app:1", "me/app:1"),
        ("registry.example.com:5000/me/app:v1.2", "registry.example.com:5000/me/app:v1.2"),
        ("app@sha256:" + "0" * 64, "app@sha256:" + "0" * 64),
        ("app:1@sha256:" + "0" * 64, "app:1@sha256:" + "0" * 64),
        ("app@sha512:" + "0" * 128, "app@sha512:" + "0" * 128),
        (" app:1\n", "app:1"),
        ("localhost/app:1", "localhost/app:1"),
        ("[::1]:5000/app:1", "[::1]:5000/app:1"),
        ("REG.test/me/a__b--c.d:V1", "REG.test/me/a__b--c.d:V1"),
        ("index.docker.io/library/alpine:3", "alpine:3"),
    ],
)
def test_names_are_those_of_the_engine(uri: str, name: str) -> None:
    assert local_name(uri) == name


HOSTILE = {
    "": "empty",
    "  ": "empty",
    ":1": "empty",
    "@sha256:" + "0" * 64: "empty",
    "app": "needs a tag",
    "registry:5000/app": "needs a tag",
    "app:": "tag is malformed",
    "app:é": "tag is malformed",
    "app:1;id": "tag is malformed",
    "app:$(id)": "tag is malformed",
    "app:-rm": "tag is malformed",
    "app:" + "t" * 129: "tag is malformed",
    "app@": "digest is malformed",
    "app@sha256:00": "digest is malformed",
    "app@sha256:" + "G" * 64: "digest is malformed",
    "app@sha256:" + "A" * 64: "digest is malformed",
    "app@md5:" + "0" * 32: "digest is malformed",
    "app:1@sha256:" + "0" * 63: "digest is malformed",
    "app:1@x@y": "digest is malformed",
    "a b:1": "only a-z",
    "app\n:1": "only a-z",
    "app\x00:1": "only a-z",
    "\x1b[31mapp:1": "only a-z",
    "app\u202e:1": "only a-z",
    "-rm:1": "only a-z",
    "--privileged": "only a-z",
    "--privileged:1": "only a-z",
    "-v/:1": "only a-z",
    "a:1:2": "only a-z",
    "a//b:1": "only a-z",
    "a/:1": "only a-z",
    "a..b:1": "only a-z",
    "a___b:1": "only a-z",
    "_a:1": "only a-z",
    "a-:1": "only a-z",
    "$(id):1": "only a-z",
    "`id`:1": "only a-z",
    "приложение:1": "only a-z",
    "App:1": "capital letters",
    "me/App:1": "capital letters",
    "reg.test/Me/app:1": "capital letters",
    "https://hub.docker.com/r/me/app:1": "URL",
    "docker://me/app:1": "URL",
    "file:///etc/passwd": "URL",
    "/ip4/127.0.0.1/tcp/4001": "path",
    "/ipfs/QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPBdG": "path",
    "/p2p/Qm:1": "path",
    "../app:1": "registry is malformed",
    "reg..test/app:1": "registry is malformed",
    "reg:99999/app:1": "registry is malformed",
    "reg:0/app:1": "registry is malformed",
    "reg:x/app:1": "registry is malformed",
    "user@reg.test/app:1": "digest is malformed",
    "a" * 256 + ":1": "longer than",
    "a" * 100_000: "longer than",
}


@pytest.mark.parametrize(("uri", "reason"), HOSTILE.items(), ids=lambda value: ascii(value)[:40])
def test_a_name_that_the_engine_would_refuse_is_refused(uri: str, reason: str) -> None:
    """Scenario 11: no tag, empty name, wrong name."""
    with pytest.raises(InvalidImageName, match=reason) as refused:
        local_name(uri)
    assert len(str(refused.value)) < 400
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("work_minutes", "expected_minutes"),
    [(1, 5), (5, 7), (20, 13), (60, 18), (180, 23), (600, 28), (6000, 30)],
)
def test_pull_limit_grows_with_the_category(work_minutes: int, expected_minutes: int) -> None:
    """Scenario 12: the limit by category, between floor and ceiling."""
    assert pull_limit_s(work_minutes * 60, 300, 1800) == expected_minutes * 60


def test_maximum_applies_if_the_minimum_exceeds_it() -> None:
    """Scenario 12: reversed bounds."""
    assert pull_limit_s(300, 600, 60) == 60
