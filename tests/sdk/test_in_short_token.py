"""Releases 8.24.0, 9.0.0 and 9.0.1 in short, on one devnet of the token flavour."""

from pathlib import Path

import pytest

from sdk.releases import RELEASES
from sdk.scenarios import in_short
from sdk.surroundings import Surroundings
from sdk.users import TOKEN

pytestmark = [pytest.mark.full, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

OPTIONS = TOKEN


@pytest.mark.parametrize("version", ["8.24.0", "9.0.0"])
async def test_release_is_served(around: Surroundings, tmp_path: Path, version: str) -> None:
    await in_short.is_served(around, RELEASES[version], tmp_path)


async def test_9_0_1_is_refused_because_no_sms_serves_tdx(around: Surroundings, tmp_path: Path) -> None:
    await in_short.learns_that_no_sms_serves_tdx(around, RELEASES["9.0.1"], tmp_path)
