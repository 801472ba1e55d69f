"""Others choose the addresses of channels, so their number is bounded; nobody can use up the places of the rest."""

from collections.abc import AsyncIterator

import grpc
import pytest
from workerpool_core.adapters.grpc.channels import Channels


@pytest.fixture
async def channels() -> AsyncIterator[Channels]:
    channels = Channels(most=3)
    yield channels
    await channels.close()


async def test_an_address_has_one_channel(channels: Channels) -> None:
    assert channels.to("http://host:13200") is channels.to("http://host:13200")


async def test_no_address_is_refused_for_the_number_of_others(channels: Channels) -> None:
    own = channels.to("http://own:13200")
    for number in range(10):
        channels.to(f"http://stranger-{number}:13200")
        assert channels.to("http://own:13200") is own, "what is in use stays"
    assert len(channels) == 3


async def test_a_channel_that_gave_way_is_closed(channels: Channels) -> None:
    first = channels.to("http://host-0:13200")
    for number in range(1, 4):
        channels.to(f"http://host-{number}:13200")
    await channels.close()
    assert first.get_state() is grpc.ChannelConnectivity.SHUTDOWN
