"""Releases 7.2.5 and 8.24.0 in short, on one devnet with the coin and the id of Bellecour."""

from pathlib import Path

import pytest

from sdk.releases import RELEASES
from sdk.scenarios import in_short
from sdk.surroundings import Surroundings
from sdk.users import NATIVE

pytestmark = [pytest.mark.full, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

OPTIONS = NATIVE


@pytest.mark.parametrize("version", ["7.2.5", "8.24.0"])
async def test_release_is_served(around: Surroundings, tmp_path: Path, version: str) -> None:
    await in_short.is_served(around, RELEASES[version], tmp_path)
