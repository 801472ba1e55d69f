"""The number of channels is bounded, and an address in use keeps its channel."""

from collections.abc import AsyncIterator

import grpc
import pytest
from workerpool_core.adapters.grpc.channel_pool import ChannelPool


@pytest.fixture
async def channels() -> AsyncIterator[ChannelPool]:
    channels = ChannelPool(max_channels=3)
    yield channels
    await channels.close()


async def test_an_address_has_one_channel(channels: ChannelPool) -> None:
    assert channels.to("http://host:13200") is channels.to("http://host:13200")


async def test_a_channel_in_use_is_not_evicted(channels: ChannelPool) -> None:
    own = channels.to("http://own:13200")
    for number in range(10):
        channels.to(f"http://foreign-{number}:13200")
        assert channels.to("http://own:13200") is own
    assert len(channels) == 3


async def test_close_ends_evicted_channels(channels: ChannelPool) -> None:
    first = channels.to("http://host-0:13200")
    for number in range(1, 4):
        channels.to(f"http://host-{number}:13200")
    await channels.close()
    assert first.get_state() is grpc.ChannelConnectivity.SHUTDOWN


async def test_a_malformed_address_is_refused(channels: ChannelPool) -> None:
    with pytest.raises(ValueError, match="http"):
        channels.to("not an address")
