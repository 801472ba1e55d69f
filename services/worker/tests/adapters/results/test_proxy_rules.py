"""The limits that proxies tell are kept, refreshed and bounded."""

import pytest
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb
from workerpool_worker.adapters.results.proxy_rules import FRESH_S, ProxyRules, rules_of


class Proxy:
    """A proxy with a limit that may change, and a clock."""

    def __init__(self) -> None:
        self.now, self.limit, self.away, self.asked = 0.0, 7, False, 0
        self.rules = ProxyRules(lambda: self.now)

    async def ask(self) -> pb.GetArchiveRulesResponse:
        self.asked += 1
        if self.away:
            raise OSError("away")
        return pb.GetArchiveRulesResponse(rules=pb.ArchiveRules(max_entries=self.limit))

    async def entries(self) -> int:
        return (await self.rules.of("url", self.ask, (OSError,))).max_entries


@pytest.fixture
def proxy() -> Proxy:
    return Proxy()


async def test_rules_are_requested_once_and_refreshed(proxy: Proxy) -> None:
    assert [await proxy.entries(), await proxy.entries()] == [7, 7]
    assert proxy.asked == 1
    proxy.now, proxy.limit = FRESH_S, 8
    assert await proxy.entries() == 8


async def test_an_unreachable_proxy_keeps_its_last_rules_and_is_retried_soon(proxy: Proxy) -> None:
    proxy.away = True
    assert await proxy.entries() == DEFAULT_RULES.max_entries
    proxy.now, proxy.away = 11, False
    assert await proxy.entries() == 7
    proxy.now, proxy.away, proxy.limit = 11 + FRESH_S, True, 8
    assert await proxy.entries() == 7
    proxy.now, proxy.away = 22 + FRESH_S, False
    assert await proxy.entries() == 8


def test_absent_limits_are_the_defaults_and_huge_ones_are_bounded() -> None:
    assert rules_of(pb.ArchiveRules()) == DEFAULT_RULES
    told = rules_of(pb.ArchiveRules(max_depth=2**32 - 1, max_computed_depth=100_000, max_archive_bytes=5))
    assert (told.max_depth, told.max_computed_depth, told.max_archive_bytes) == (256, 256, 5)
