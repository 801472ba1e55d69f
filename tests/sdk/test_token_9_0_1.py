"""Release 9.0.1 on a devnet of the token flavour, as on Arbitrum."""

import pytest

from sdk.releases import RELEASES
from sdk.scenarios.of_release import Scenario, scenarios_of
from sdk.users import TOKEN, Served

pytestmark = [pytest.mark.soak, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

RELEASE = RELEASES["9.0.1"]
OPTIONS = TOKEN


@pytest.mark.parametrize("scenario", scenarios_of(RELEASE), ids=lambda scenario: scenario.__name__)
async def test_release(served: Served, scenario: Scenario) -> None:
    await scenario(served)
