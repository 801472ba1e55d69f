"""Every command of seed 001, the manual of a pool's deployment, on a devnet with the coin and the id of Bellecour."""

from pathlib import Path

import pytest

from sdk.scenarios import seed_001
from sdk.surroundings import Surroundings
from sdk.users import NATIVE

pytestmark = [pytest.mark.soak, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

OPTIONS = NATIVE


async def test_every_command_of_seed_001(around: Surroundings, tmp_path: Path) -> None:
    done = await seed_001.follows_the_manual(around, tmp_path, OPTIONS.workers)
    assert done == seed_001.RUNS.keys()
