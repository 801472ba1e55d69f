"""Release 7.2.5 on a devnet with the coin and the id of Bellecour."""

import pytest

from sdk.releases import RELEASES
from sdk.scenarios.of_release import Scenario, scenarios_of
from sdk.users import NATIVE, Served

pytestmark = [pytest.mark.soak, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

RELEASE = RELEASES["7.2.5"]
OPTIONS = NATIVE


@pytest.mark.parametrize("scenario", scenarios_of(RELEASE), ids=lambda scenario: scenario.__name__)
async def test_release(served: Served, scenario: Scenario) -> None:
    await scenario(served)
