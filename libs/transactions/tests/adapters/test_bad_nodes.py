"""Every way in which a node is known to fail, for every request of the pipeline.

Each ends in the documented state: the value where the answer is fine, else `ChainUnreachable` with one clear sentence
(for a send: a `SendOutcome`), and everything works once the node does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from doubles.node import (
    BALANCE,
    BASE_FEE,
    GAS,
    TIP,
    Fault,
    Node,
    answers_every,
    answers_http,
    answers_text,
    cuts_connections,
    drops_answers,
    refuses_every,
    times,
    truncates,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from patience import PATIENCE_S
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.chain.traffic import Traffic
from workerpool_poco.chain.transport import Transport
from workerpool_poco.errors import ChainUnreachable
from workerpool_transactions.adapters.rpc_node import RpcNode
from workerpool_transactions.domain.answers import Counts, FeeQuote, GasEstimate, SendOutcome
from workerpool_transactions.domain.entry import Call

from libs.transactions.tests.adapters.conftest import WALLET

HASHES = ["0x" + "01" * 32, "0x" + "02" * 32]
CALLS = [Call("0x" + "35" * 20, b"data", 0), Call("0x" + "35" * 20, b"other", 0, value=1)]

READS: dict[str, tuple[Callable[[RpcNode], Awaitable[Any]], Any]] = {
    "counts": (lambda node: node.counts(), Counts(7, 7, 16)),
    "receipts": (lambda node: node.receipts(HASHES), {}),
    "known": (lambda node: node.known(HASHES), set()),
    "quote": (lambda node: node.quote(), FeeQuote(BASE_FEE, BASE_FEE + TIP, TIP)),
    "balance": (lambda node: node.balance(), BALANCE),
    "estimate": (lambda node: node.estimate(CALLS), [GasEstimate(GAS, 16)] * 2),
}
"""The reads of the port, with what an honest node makes of them."""

FAULTS: dict[str, Callable[[Node], Fault]] = {
    "502 with a page": lambda _: answers_http(502, "<html><h1>502 Bad Gateway</h1></html>"),
    "503": lambda _: answers_http(503),
    "500": lambda _: answers_http(500, "\n\n".join(["panic"] * 5_000)),
    "404": lambda _: answers_http(404, "<html>no such path</html>"),
    "401": lambda _: answers_http(401, "unauthorized"),
    "a page": lambda _: answers_text("<html>Welcome to nginx!</html>"),
    "nothing": lambda _: answers_text(""),
    "half a JSON text": truncates,
    "a cut connection": lambda _: cuts_connections(),
    "deep JSON": lambda _: answers_text("[" * 100_000),
    "a JSON text": lambda _: answers_text('"starting"'),
    "JSON null": lambda _: answers_text("null"),
    "an empty list": lambda _: answers_text("[]"),
    "an empty object": lambda _: answers_text("{}"),
    "429": lambda _: answers_http(429),
    "429 with Retry-After": lambda _: answers_http(429, headers={"Retry-After": "3"}),
    "compute units": lambda _: refuses_every(
        429, "Your app has exceeded its compute units per second capacity."
    ),
    "compute units with 429": lambda _: refuses_every(429, "compute units", status=429),
    "an internal error": lambda _: refuses_every(-32603, "Internal error"),
    "an error without words": lambda _: refuses_every(0, ""),
    "an error as long as a book": lambda _: refuses_every(-32000, "no\nbackend " * 100_000),
    "no such method": lambda _: refuses_every(-32601, "the method does not exist/is not available"),
    "a lost state": lambda _: refuses_every(-32000, "header not found"),
    "a result that is a text": lambda _: answers_every("starting"),
    "a result that is a number": lambda _: answers_every(7),
    "a result that is a list": lambda _: answers_every([]),
    "a result that is an object": lambda _: answers_every({"number": None}),
    "a result that is true": lambda _: answers_every(True),
    "no result": lambda _: answers_every(None),
}


class OwnTime:
    """A clock that moves only while calls wait for the traffic."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
async def rpc(chain: Node) -> Any:
    time = OwnTime()
    traffic = Traffic(monotonic=time.monotonic, sleep=time.sleep)
    rpc = JsonRpc(chain.url, attempts=2, backoff=0.001, timeout=PATIENCE_S, traffic=traffic)
    yield rpc
    await rpc.close()


def is_clear(sentence: str) -> bool:
    """Return whether an operator can read it: one line, of a bearable length, about the node."""
    return (
        "\n" not in sentence
        and len(sentence) < 600
        and ("http://127.0.0.1" in sentence or "node" in sentence)
    )


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_read_of_a_bad_node_is_an_outage_until_the_node_works(
    chain: Node, node: RpcNode, fault: str, read: str
) -> None:
    call, honest = READS[read]
    chain.fault = FAULTS[fault](chain)
    if fault == "no result" and read in {"receipts", "known"}:
        # An unknown transaction: null is the answer.
        assert await call(node) == honest
    else:
        with pytest.raises(ChainUnreachable) as caught:
            await call(node)
        assert is_clear(str(caught.value)), str(caught.value)
    chain.fault = None
    assert await call(node) == honest


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_that_passes_is_not_noticed(chain: Node, node: RpcNode, fault: str, read: str) -> None:
    """What a repeated request cures is no outage; the others are one of a moment."""
    call, honest = READS[read]
    chain.fault = times(1, FAULTS[fault](chain))
    try:
        assert await call(node) == honest
    except ChainUnreachable:
        assert await call(node) == honest


PASSING = [
    "502 with a page", "503", "500", "a page", "nothing", "half a JSON text", "a cut connection", "429",
    "429 with Retry-After", "compute units", "compute units with 429", "a lost state",
]  # fmt: skip


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("fault", PASSING)
async def test_a_request_is_repeated_where_that_helps(
    chain: Node, node: RpcNode, fault: str, read: str
) -> None:
    call, honest = READS[read]
    await call(node)
    chain.fault = times(1, FAULTS[fault](chain))
    assert await call(node) == honest


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_send_is_never_lost_or_repeated(chain: Node, node: RpcNode, fault: str) -> None:
    """The pipeline sends the same bytes again after BUSY and after an outage; one request is one send."""
    chain.fault = FAULTS[fault](chain)
    try:
        answer = await node.send(b"raw")
    except ChainUnreachable as error:
        sentence = str(error)
    else:
        sentence = answer.message or "the node"
        expected = SendOutcome.ACCEPTED if fault == "a result that is a text" else SendOutcome.BUSY
        assert answer.outcome is expected
    assert is_clear(sentence) or len(sentence) < 600
    assert len(chain.bodies) <= 5, "a lost state is repeated at most five times"
    chain.fault = None
    assert (await node.send(b"raw")).outcome is SendOutcome.ACCEPTED


async def test_a_missing_answer_of_a_batch_is_requested_again(chain: Node, node: RpcNode) -> None:
    chain.fault = drops_answers(["eth_getTransactionCount"], chain)
    assert await node.counts() == Counts(7, 7, 16)


async def test_a_send_may_take_longer_than_a_read(chain: Node) -> None:
    """A sequencer under load answers after 12 s; reads give up earlier."""
    answered = asyncio.Event()

    async def late(_: Any) -> web.StreamResponse | None:
        await answered.wait()
        return None

    rpc = JsonRpc(chain.url, attempts=1, timeout=0.1)
    node = RpcNode(rpc, WALLET)
    chain.fault = late
    with pytest.raises(ChainUnreachable, match="no answer within the time limit"):
        await node.balance()
    sending = asyncio.create_task(node.send(b"raw"))
    with pytest.raises(ChainUnreachable):
        await node.balance()
    assert not sending.done()
    answered.set()
    assert (await sending).outcome is SendOutcome.ACCEPTED
    await rpc.close()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(["0x", "0x1", "0xzz"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
ANSWER = st.one_of(
    JSON.map(lambda result: {"result": result}),
    JSON.map(lambda error: {"error": error}),
    st.builds(lambda code, message: {"error": {"code": code, "message": message}}, JSON, JSON),
    JSON,
)


class Mutating(Transport):
    """Connections whose decoded answers are drawn by the test."""

    def __init__(self, data: st.DataObject) -> None:
        super().__init__("http://127.0.0.1:1", timeout=1, max_connections=1)
        self._data = data

    async def _post(self, body: Any, timeout: float | None = None) -> Any:
        if isinstance(body, list) and self._data.draw(st.booleans()):
            answers = [self._answer(each) for each in body]
            return answers if self._data.draw(st.booleans()) else answers[1:]
        return self._answer(body)

    def _answer(self, body: Any) -> Any:
        answer = self._data.draw(ANSWER)
        known = isinstance(answer, dict) and isinstance(body, dict) and self._data.draw(st.booleans())
        return answer | {"id": body["id"]} if known else answer


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@pytest.mark.parametrize("read", [*READS, "send"])
@given(data=st.data())
async def test_nothing_but_an_outage_leaves_the_port(read: str, data: st.DataObject) -> None:
    time = OwnTime()
    traffic = Traffic(monotonic=time.monotonic, sleep=time.sleep)
    rpc = JsonRpc("http://127.0.0.1:1", attempts=1, backoff=0, traffic=traffic)
    rpc._transport = Mutating(data)
    node = RpcNode(rpc, WALLET)
    problem = ""
    try:
        await (node.send(b"raw") if read == "send" else READS[read][0](node))
    except ChainUnreachable as error:
        problem = str(error)
    assert not problem or is_clear(problem)
