"""A node is verified before it is used, and again after an outage."""

import asyncio

import pytest
from patience import PATIENCE_S
from workerpool_kit.chain import verified_node
from workerpool_kit.chain.verified_node import LIMIT_S, NodeErrors, VerifiedNode
from workerpool_kit.dependencies.report import Dependency, DependencyReport
from workerpool_kit.health import Health
from workerpool_kit.process import StartupError


class ClientError(Exception):
    pass


class WrongChain(ClientError):
    pass


class NoHub(ClientError):
    pass


class Node:
    """A node that fails as a test says; `calls` lists what was asked."""

    def __init__(self, *failures: ClientError) -> None:
        self.failures = list(failures)
        self.calls: list[str] = []

    async def connect(self) -> None:
        self.calls.append("connect")
        if self.failures:
            raise self.failures.pop(0)

    async def probe(self) -> None:
        self.calls.append("probe")


def watched(node: Node, health: Health, limit_s: float = LIMIT_S) -> VerifiedNode:
    report = DependencyReport(health, Dependency("chain", "NODE", "http://node", "start it"))
    errors = NodeErrors(ClientError, WrongChain, NoHub)
    return VerifiedNode(report, connect=node.connect, probe=node.probe, errors=errors, limit_s=limit_s)


async def test_a_node_is_retried_until_it_is_verified() -> None:
    node, health = Node(ClientError("silent"), WrongChain("serves chain 5")), Health()
    verified = watched(node, health)
    before = verified.verified
    watching = asyncio.create_task(verified.watch())
    async with asyncio.timeout(PATIENCE_S):
        while not verified.verified:
            await asyncio.sleep(0.01)
    assert (before, node.calls, health.is_up) == (False, ["connect"] * 3, True)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_a_missing_hub_ends_the_process_in_words() -> None:
    with pytest.raises(StartupError, match="no hub: check IEXEC_BLOCKCHAIN_NODE_ADDRESS"):
        await watched(Node(NoHub("no hub")), Health()).watch()


class Unreachable(Exception):
    pass


async def read(failure: ClientError | None = None) -> str:
    if failure is not None:
        raise failure
    return "value"


async def test_nothing_is_read_of_a_node_that_is_not_verified() -> None:
    verified = watched(Node(), Health())
    with pytest.raises(Unreachable, match="does not answer yet"):
        await verified.read(read(), Unreachable)
    verified.verified = True
    assert await verified.read(read(), Unreachable) == "value"
    with pytest.raises(Unreachable, match="try again later"):
        await verified.read(read(ClientError("silent")), Unreachable)


class HangingNode(Node):
    """A node that is verified once, and then answers no probe."""

    async def probe(self) -> None:
        self.calls.append("probe")
        await asyncio.Event().wait()


async def test_a_slow_node_is_read_while_it_answers_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """One late answer to a probe made every read fail, as on a busy machine."""
    monkeypatch.setattr(verified_node, "_PROBE_EVERY_S", 0.0)
    node, health = HangingNode(), Health()
    verified = watched(node, health, limit_s=0.05)
    watching = asyncio.create_task(verified.watch())
    async with asyncio.timeout(PATIENCE_S):
        while node.calls.count("probe") < 4:
            assert not verified.verified or await verified.read(read(), Unreachable) == "value"
            assert "connect" not in node.calls[1:]
            await asyncio.sleep(0.005)
    async with asyncio.timeout(PATIENCE_S):
        while health.is_up:
            await asyncio.sleep(0.005)
    assert not verified.verified
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
