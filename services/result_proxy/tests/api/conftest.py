"""The use cases over memory, behind the HTTP routes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.result_proxy.tests.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path / "workspace")
    yield world
    await world.partials.close()
    world.workspace.close()
    world.threads.close()
