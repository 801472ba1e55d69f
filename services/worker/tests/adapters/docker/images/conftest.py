"""A private registry with TLS and passwords, and an engine of the tests alone that pulls from it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.images.credentials import RegistryCredentials
from workerpool_worker.adapters.docker.images.store import DockerImages

from services.worker.tests.harness import private_engine as engines
from services.worker.tests.harness import registry as registries
from services.worker.tests.harness.app_image import NoBusybox, ensure_image
from services.worker.tests.harness.private_engine import PrivateEngine
from services.worker.tests.harness.registry import NAME, PASSWORD, USER, Registry

MakeImages = Callable[..., DockerImages]


@pytest.fixture(scope="module")
def running_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    if reason := registries.why_not() or engines.why_not():
        pytest.skip(reason)
    with registries.private_registry(tmp_path_factory.mktemp("registry") / "files") as registry:
        yield registry


@pytest.fixture(scope="module")
def private(running_registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateEngine]:
    """An engine that trusts the registry, which holds `app:1`, `other:1`, and `foreign:1` for another processor."""
    folder = tmp_path_factory.mktemp("engine")
    seen = engines.namespace(folder, {NAME: registries.own_address()})
    with engines.private_engine(folder / "files", seen, authority=running_registry.authority.file) as engine:
        try:
            local = ensure_image(engine.client)
        except NoBusybox:
            pytest.skip(
                "NO BUSYBOX: install the Debian package busybox-static; the tests of pulls did not run"
            )
        running_registry.push(engine.client.api, local, "app", "1")
        engine.client.api.import_image_from_data(b"\0" * 10_240, repository="empty", tag="1")
        running_registry.push(engine.client.api, "empty:1", "other", "1")
        running_registry.push_foreign("app", "1", "foreign")
        for image in (local, "empty:1"):
            engine.client.api.remove_image(image)
        yield engine


@pytest.fixture
def registry(running_registry: Registry, private: PrivateEngine) -> Registry:
    """The registry without faults, and its engine without its images."""
    running_registry.reset()
    for image in private.client.images.list(name=f"{NAME}:{running_registry.proxy_port}/*"):
        private.client.api.remove_image(image.id, force=True)
    return running_registry


@pytest.fixture
def connection(private: PrivateEngine) -> Iterator[DockerConnection]:
    connection = DockerConnection(pool_size=2, base_url=private.url)
    yield connection
    connection.close()


@pytest.fixture
def images_of(connection: DockerConnection, registry: Registry, tmp_path: Path) -> MakeImages:
    """Make the images of a worker with the given credentials for the registry."""

    def make(
        user: str = USER, password: str = PASSWORD, *, config: Path | None = None, **options: Any
    ) -> DockerImages:
        address = f"https://{NAME.upper()}:{registry.proxy_port}/v1/"
        settings = {address: (user, password)} if user else {}
        return DockerImages(connection, RegistryCredentials(settings, config or tmp_path / "none"), **options)

    return make
