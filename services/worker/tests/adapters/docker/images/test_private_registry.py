"""Pulls from a real private registry with TLS and passwords, and the trouble that registries make.

A private engine pulls, so that no image of this host is touched.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stamina
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.images.cache import CachePolicy, ImageCache
from workerpool_worker.adapters.docker.images.credentials import RegistryCredentials
from workerpool_worker.adapters.docker.images.store import DockerImages
from workerpool_worker.errors import (
    HostStorageUnavailable,
    ImageSlow,
    ImageUnavailable,
    PublicRegistryUnavailable,
    RegistryAbsent,
    RegistryLoginRefused,
    RegistryRefused,
    RegistryUnavailable,
    WorkerError,
)

from services.worker.tests.harness import private_engine as engines
from services.worker.tests.harness import registry as registries
from services.worker.tests.harness.private_engine import PrivateEngine
from services.worker.tests.harness.registry import (
    FAILED,
    HUNG,
    LIMITED,
    LIMITED_FOR_1_S,
    NAME,
    PASSWORD,
    USER,
    Fault,
    Registry,
)

MakeImages = Callable[..., DockerImages]
ANONYMOUS = ""


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """Retry three times without the pauses between."""
    with stamina.set_testing(True, attempts=3):
        yield


async def failure_of(images: DockerImages, image: str, limit_s: float = 60) -> WorkerError:
    with pytest.raises(WorkerError) as raised:
        await images.ensure(image, limit_s)
    return raised.value


# --- what is there ------------------------------------------------------------------------------


async def test_a_tag_a_digest_and_both_name_an_image(
    images_of: MakeImages, registry: Registry, private: PrivateEngine
) -> None:
    images, digest = images_of(), registry.digest("app", "1")
    for name in (f"app:1@{digest}", f"app@{digest}", "app:1"):
        image = registry.image(name)
        assert await images.ensure(image, 60)
        assert await images.exists(image)
        created = private.client.api.create_container(image, ["true"])
        private.client.api.remove_container(created["Id"])
        assert not await images.ensure(image, 60)
        private.client.api.remove_image(image)


async def test_credentials_are_found_in_any_spelling(images_of: MakeImages, registry: Registry) -> None:
    """Scenario 13: match with port."""
    image = registry.image("app:1").replace(NAME, NAME.upper())
    assert await images_of().ensure(image, 60)


async def test_the_docker_configuration_serves_too(
    images_of: MakeImages, registry: Registry, tmp_path: Path
) -> None:
    file = tmp_path / "config.json"
    login = {"username": USER, "password": PASSWORD}
    file.write_text(
        json.dumps(
            {"credsStore": "no-such-helper", "auths": {f"https://{NAME}:{registry.proxy_port}/v2/": login}}
        )
    )
    assert await images_of(ANONYMOUS, config=file).ensure(registry.image("app:1"), 60)


# --- the requester's side -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["app:2", "nothing:1", "app@sha256:" + "0" * 64, "foreign:1"])
async def test_what_the_registry_does_not_have_is_the_images_failure(
    images_of: MakeImages, registry: Registry, name: str
) -> None:
    """Scenario 11: wrong tag, wrong name, wrong digest, another platform."""
    assert type(await failure_of(images_of(), registry.image(name))) is ImageUnavailable


async def test_a_private_image_without_credentials_is_the_images_failure(
    images_of: MakeImages, registry: Registry
) -> None:
    """Scenario 13: no credentials for the registry."""
    failure = await failure_of(images_of(ANONYMOUS), registry.image("app:1"))
    assert type(failure) is ImageUnavailable
    assert "no basic auth credentials" in failure.message


async def test_an_image_that_good_credentials_may_not_read_is_the_images_failure(
    images_of: MakeImages, registry: Registry
) -> None:
    body = '{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}'
    registry.fault = lambda user, path: Fault(403, {}, body) if "manifests" in path else None
    failure = await failure_of(images_of(), registry.image("app:1"))
    assert type(failure) is ImageUnavailable


async def test_a_registry_that_is_not_there_is_absent(images_of: MakeImages, registry: Registry) -> None:
    absent = f"no-such-host.workerpool.test:{registry.proxy_port}"
    for host, error in ((f"{NAME}:1", RegistryRefused), (absent, RegistryAbsent)):
        assert type(await failure_of(images_of(), f"{host}/app:1")) is error


# --- wrong credentials --------------------------------------------------------------------------


async def test_wrong_credentials_are_the_operators(images_of: MakeImages, registry: Registry) -> None:
    """Scenario 13: wrong credentials for a private image."""
    failure = await failure_of(images_of(password="wrong"), registry.image("app:1"))
    assert type(failure) is RegistryLoginRefused
    assert "refuses the credentials" in failure.message
    assert PASSWORD not in failure.message


async def test_a_public_image_is_pulled_without_the_wrong_credentials(
    images_of: MakeImages, registry: Registry
) -> None:
    """Scenario 13: the operator's credentials are refused, so the pull is anonymous.

    The proxy plays a registry of public images: it serves everyone but refuses a wrong password.
    """
    registry.public = True
    assert await images_of(password="wrong").ensure(registry.image("app:1"), 60)
    assert any(path.startswith("/token") for _, path in registry.seen)


# --- a registry in trouble ----------------------------------------------------------------------

FAULTS = {
    "429": LIMITED,
    "429 with Retry-After": LIMITED_FOR_1_S,
    "429 with text": Fault(429, {}, "slow down"),
    "500": Fault(500, {}, '{"errors":[]}'),
    "502": Fault(502, {}, "<html>bad gateway</html>"),
    "503": FAILED,
    "504": Fault(504),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("where", ["/v2/", "/manifests/"])
async def test_a_failing_registry_is_tried_three_times_and_not_blamed_on_the_image(
    images_of: MakeImages, registry: Registry, fault: Fault, where: str
) -> None:
    registry.fault = lambda user, path: fault if where in path else None
    if where == "/v2/":
        assert type(await failure_of(images_of(ANONYMOUS), registry.image("app:1"))) is RegistryUnavailable
        registry.seen.clear()
    assert type(await failure_of(images_of(), registry.image("app:1"))) is PublicRegistryUnavailable
    assert sum(path == "/v2/" for _, path in registry.seen) == 3


async def test_a_limit_that_passes_costs_only_time(images_of: MakeImages, registry: Registry) -> None:
    refused: list[str] = []

    def twice(user: str, path: str) -> Fault | None:
        if "manifests" not in path or len(refused) >= 4:
            return None
        refused.append(path)
        return LIMITED

    registry.fault = twice
    assert await images_of().ensure(registry.image("app:1"), 60)
    assert refused


async def test_a_registry_that_hangs_is_failing(images_of: MakeImages, registry: Registry) -> None:
    registry.fault = lambda user, path: HUNG if "manifests" in path else None
    began = time.monotonic()
    failure = await failure_of(images_of(), registry.image("app:1"), 1.5)
    assert type(failure) is PublicRegistryUnavailable
    assert "sent nothing" in failure.message
    assert time.monotonic() - began < 30


async def test_layers_that_do_not_arrive_are_slow_and_not_missing(
    images_of: MakeImages, registry: Registry
) -> None:
    """Scenario 11: timeout while the image arrives."""
    registry.fault = lambda user, path: HUNG if "blobs" in path else None
    failure = await failure_of(images_of(), registry.image("app:1"), 3)
    assert type(failure) in (ImageSlow, PublicRegistryUnavailable)


@pytest.mark.parametrize(
    ("dns", "trusted", "error"),
    [("127.0.0.1", True, RegistryUnavailable), ("", False, RegistryUnavailable)],
    ids=["no DNS", "unknown authority"],
)
async def test_an_engine_failure_is_not_blamed_on_the_image(
    registry: Registry, tmp_path: Path, dns: str, trusted: bool, error: type[WorkerError]
) -> None:
    seen = engines.namespace(tmp_path, {} if dns else {NAME: registries.own_address()}, dns=dns)
    authority = registry.authority.file if trusted else None
    with engines.private_engine(tmp_path / "engine", seen, authority=authority) as engine:
        connection = DockerConnection(pool_size=1, base_url=engine.url)
        images = DockerImages(connection, RegistryCredentials({}, tmp_path / "none"))
        failure = await failure_of(images, registry.image("app:1"))
        connection.close()
    assert type(failure) is error


# --- the images that stay -----------------------------------------------------------------------


@pytest.fixture
def cache_of(connection: DockerConnection, images_of: MakeImages, tmp_path: Path) -> Any:
    """Make the cache of a worker; a second one is the same worker after a restart."""

    def make(clock: list[float], free: list[int], **policy: Any) -> ImageCache:
        chosen = CachePolicy(tmp_path / "images.json", floor_bytes=1_000, **policy)
        return ImageCache(connection, images_of(), chosen, free_bytes=lambda: free[0], now=lambda: clock[0])

    return make


async def test_own_images_are_removed_by_last_use_when_the_disk_fills(
    cache_of: Any, registry: Registry, private: PrivateEngine
) -> None:
    api = private.client.api
    first, second = registry.image("app:1"), registry.image(f"other@{registry.digest('other', '1')}")
    clock, free = [1_000.0], [10_000]
    cache = cache_of(clock, free)
    await cache.ensure(first, 60)
    clock[0] += 5_000
    await cache.ensure(second, 60)
    clock[0] += 5_000
    await cache.ensure(first, 60)
    clock[0] += 5_000
    cache = cache_of(clock, free)  # The worker starts again.
    await cache.sweep()
    assert [image.name for image in cache.own] == [first, second]
    free[0] = 500

    container = api.create_container(second, ["true"])["Id"]
    await cache.sweep()
    assert await exists(api, second)  # A container needs it.
    assert not await exists(api, first)
    api.remove_container(container)
    await cache.sweep()
    assert not await exists(api, second)
    assert cache.own == []


async def test_images_of_others_are_never_removed(
    cache_of: Any, registry: Registry, private: PrivateEngine
) -> None:
    api = private.client.api
    image = registry.image("app:1")
    clock, free = [1_000.0], [0]
    auth = {"username": USER, "password": PASSWORD}
    for _ in api.pull(image, stream=True, decode=True, auth_config=auth):
        pass
    cache = cache_of(clock, free)
    await cache.ensure(image, 60)  # It was there before.
    clock[0] += 1e9
    await cache.sweep()
    assert await exists(api, image)
    api.remove_image(image)
    cache.forget(image)

    await cache.ensure(image, 60)
    api.tag(image, "operators/copy", "1")
    clock[0] += 1e9
    await cache.sweep()
    assert await exists(api, "operators/copy:1")
    assert not await exists(api, image)

    await cache.ensure(image, 60)
    api.remove_image(image)
    api.import_image_from_data(b"\0" * 10_240, repository=image.rpartition(":")[0], tag="1")
    clock[0] += 1e9
    await cache.sweep()
    assert await exists(api, image)  # The operator gave its name to another image.
    assert cache.own == []
    api.remove_image(image)
    api.remove_image("operators/copy:1")


async def test_an_unused_image_expires(cache_of: Any, registry: Registry, private: PrivateEngine) -> None:
    image = registry.image("app:1")
    clock, free = [1_000.0], [10_000]
    cache = cache_of(clock, free, keep_s=86_400.0)
    await cache.ensure(image, 60)
    clock[0] += 80_000
    await cache.sweep()
    assert await exists(private.client.api, image)
    clock[0] += 10_000
    await cache.sweep()
    assert not await exists(private.client.api, image)


async def test_a_full_disk_frees_space_once_and_then_is_the_hosts_failure(
    cache_of: Any, registry: Registry, private: PrivateEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = registry.image("app:1")
    clock, free = [1_000.0], [10_000]
    cache = cache_of(clock, free)
    await cache.ensure(image, 60)
    clock[0] += 5_000
    with pytest.raises(HostStorageUnavailable):
        monkeypatch.setattr(cache._images, "ensure", full)
        await cache.ensure(registry.image("foreign:1"), 60)
    assert not await exists(private.client.api, image)


async def full(image: str, limit_s: float) -> bool:
    raise HostStorageUnavailable("no space left on device")


async def exists(api: Any, image: str) -> bool:
    return bool(api.images(image))
