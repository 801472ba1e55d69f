"""The use cases over memory, with real temporary files."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from services.result_proxy.tests.world import World, zipped


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path / "workspace")
    yield world
    await world.partials.close()
    world.workspace.close()
    world.threads.close()


@pytest.fixture
def zip_files() -> Callable[[dict[str, bytes]], bytes]:
    return zipped
