"""The record of the worker's own images: read, measured, and kept while the engine refuses to remove them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.images.cache import CachePolicy, ImageCache
from workerpool_worker.adapters.docker.images.credentials import RegistryCredentials
from workerpool_worker.adapters.docker.images.store import DockerImages
from workerpool_worker.errors import DockerUnavailable

from services.worker.tests.doubles.stored_engine import IMAGE_BYTES, StoredEngine, running_engine

IMAGE, OTHER = "app:1", "registry.test/other:1"
REMOVAL = f"DELETE /images/{IMAGE}"


@pytest.fixture
async def engine() -> AsyncIterator[StoredEngine]:
    async with running_engine() as engine:
        engine.images = {IMAGE: "sha256:1"}
        yield engine


@pytest.fixture
async def cache(engine: StoredEngine, tmp_path: Path) -> AsyncIterator[ImageCache]:
    """A cache whose record holds one image that was last used in 1970."""
    file = tmp_path / "images.json"
    file.write_text(json.dumps([{"name": IMAGE, "image_id": "sha256:1", "used_at": 1.0}]))
    connection = DockerConnection(pool_size=1, base_url=engine.url)
    images = DockerImages(connection, RegistryCredentials({}, tmp_path / "none"))
    yield ImageCache(connection, images, CachePolicy(file), free_bytes=lambda: None)
    connection.close()


async def test_an_image_that_the_engine_keeps_stays_recorded(engine: StoredEngine, cache: ImageCache) -> None:
    engine.refusals[REMOVAL] = (409, "unable to remove: container abc uses it")
    await cache.sweep()
    assert [each.name for each in cache.own] == [IMAGE]
    engine.refusals.clear()
    await cache.sweep()
    assert (cache.own, engine.removed) == ([], [IMAGE])


async def test_an_engine_that_fails_while_an_image_is_removed_is_an_outage(
    engine: StoredEngine, cache: ImageCache
) -> None:
    engine.refusals[REMOVAL] = (500, "the daemon is shutting down")
    with pytest.raises(DockerUnavailable, match="shutting down"):
        await cache.sweep()
    assert [each.name for each in cache.own] == [IMAGE]


def gauges() -> tuple[float | None, float | None]:
    """Return the number of the worker's own images, and their bytes."""
    return (
        REGISTRY.get_sample_value("workerpool_worker_images"),
        REGISTRY.get_sample_value("workerpool_worker_image_bytes"),
    )


async def test_a_pulled_image_is_recorded_with_its_size(
    engine: StoredEngine, cache: ImageCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gauges() == (1, 0), "an older version recorded no size"
    engine.images[OTHER] = "sha256:2"

    async def pulled(image: str, limit_s: float) -> bool:
        return True

    monkeypatch.setattr(cache._images, "ensure", pulled)
    await cache.ensure(OTHER, 10)
    assert gauges() == (2, IMAGE_BYTES)
    recorded: list[dict[str, Any]] = json.loads((tmp_path / "images.json").read_text())
    assert [each["size_bytes"] for each in recorded] == [0, IMAGE_BYTES]


async def test_all_own_images_are_removed_except_kept_and_used_ones(
    engine: StoredEngine, tmp_path: Path
) -> None:
    names = [f"app:{number}" for number in range(4)]
    engine.images = dict.fromkeys([*names, "foreign:1"], "sha256:1")
    record = [{"name": name, "image_id": "sha256:1", "used_at": 2e9} for name in names]
    (tmp_path / "images.json").write_text(json.dumps(record))
    engine.refusals["DELETE /images/app:1"] = (409, "unable to remove: container abc uses it")
    engine.images["app:3"] = "sha256:3"  # Its name stands for another image now.
    connection = DockerConnection(pool_size=1, base_url=engine.url)
    images = DockerImages(connection, RegistryCredentials({}, tmp_path / "none"))
    cache = ImageCache(connection, images, CachePolicy(tmp_path / "images.json"), free_bytes=lambda: None)
    assert await cache.remove_all(frozenset({"app:2"})) == ["app:0"]
    assert engine.removed == ["app:0"]
    assert [each.name for each in cache.own] == ["app:1", "app:2"]
    connection.close()
