"""A pool with its page, without database or network."""

from collections.abc import AsyncIterator

import pytest

from services.core.tests.doubles.page_world import PageWorld


@pytest.fixture
async def world() -> AsyncIterator[PageWorld]:
    world = PageWorld()
    yield world
    world.engine.stop()


@pytest.fixture
def signed(world: PageWorld) -> dict[str, str]:
    """The cookie of a signed-in operator."""
    return world.sign_in()
