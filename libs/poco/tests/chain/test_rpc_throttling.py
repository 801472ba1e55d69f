"""A node that refuses calls because there are too many: calls wait, batches shrink."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.chain.traffic import Traffic
from workerpool_poco.errors import RpcError, Throttled


def result(request: Any, value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request["id"], "result": value}


@pytest.mark.parametrize(
    "busy",
    [
        lambda error: web.json_response({"error": error}, status=429),
        lambda error: {"error": error},
    ],
    ids=["http-429", "http-200"],
)
async def test_a_throttled_request_is_retried_later(
    scripted_node: Any, busy: Callable[[dict[str, Any]], Any]
) -> None:
    def answer(request: Any) -> Any:
        if len(scripted_node.requests) < 3:
            return busy({"code": -32005, "message": "Too Many Requests: request rate exceeded"})
        return result(request, "0x7")

    scripted_node.answer = answer
    rpc = JsonRpc(scripted_node.url, attempts=4, backoff=0.001)
    assert await rpc.call("eth_blockNumber") == "0x7"
    await rpc.close()


class OwnTime:
    """A clock that moves only while a client waits for its traffic."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def in_own_time(url: str, **options: Any) -> tuple[JsonRpc, OwnTime]:
    time = OwnTime()
    traffic = Traffic(monotonic=time.monotonic, sleep=time.sleep)
    return JsonRpc(url, backoff=0.001, traffic=traffic, **options), time


def http_date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("status", [429, 503], ids=str)
@pytest.mark.parametrize(
    ("header", "min_s", "max_s"),
    [("7", 7, 8), (http_date(3_600), 30, 31), ("86400", 30, 31), ("nonsense", 0, 1), (None, 0, 1)],
    ids=["seconds", "date", "a-day", "nonsense", "none"],
)
async def test_every_call_waits_as_long_as_the_node_asks(
    scripted_node: Any, status: int, header: str | None, min_s: float, max_s: float
) -> None:
    headers = {} if header is None else {"Retry-After": header}

    def answer(request: Any) -> Any:
        if len(scripted_node.requests) == 1:
            return web.Response(status=status, headers=headers)
        return result(request, "0x7")

    scripted_node.answer = answer
    rpc, time = in_own_time(scripted_node.url)
    assert await rpc.call("eth_blockNumber") == "0x7"
    assert min_s <= time.now <= max_s
    await rpc.close()


async def test_a_node_that_throttles_for_long_is_distinguished(scripted_node: Any) -> None:
    scripted_node.answer = lambda _: web.Response(status=429)
    rpc, _ = in_own_time(scripted_node.url)
    with pytest.raises(Throttled, match="HTTP 429"):
        await rpc.call("eth_blockNumber")
    assert len(scripted_node.requests) == 8
    with pytest.raises(Throttled):
        await rpc.batch([("eth_blockNumber", ())] * 50)
    await rpc.close()


async def test_a_single_attempt_does_not_wait(scripted_node: Any) -> None:
    scripted_node.answer = lambda _: web.Response(status=429)
    rpc, _ = in_own_time(scripted_node.url)
    with pytest.raises(Throttled):
        await rpc.call("eth_sendRawTransaction", "0x", attempts=1)
    assert len(scripted_node.requests) == 1
    await rpc.close()


async def test_batches_shrink_until_the_node_takes_them(scripted_node: Any) -> None:
    """Providers count each call of a batch; one that is larger than a second's plan is never taken."""

    def answer(requests: Any) -> Any:
        several = requests if isinstance(requests, list) else [requests]
        if len(several) > 20:
            return web.json_response({"error": {"code": 429, "message": "compute units"}}, status=429)
        answers = [result(each, each["params"][0]) for each in several]
        return answers if isinstance(requests, list) else answers[0]

    scripted_node.answer = answer
    rpc, _ = in_own_time(scripted_node.url)
    assert await rpc.batch([("echo", (number,)) for number in range(120)]) == list(range(120))
    await rpc.close()


async def test_calls_above_the_rate_wait_instead_of_failing(scripted_node: Any) -> None:
    scripted_node.answer = lambda request: result(request, "0x7")
    time = OwnTime()
    traffic = Traffic(calls_per_s=10, monotonic=time.monotonic, sleep=time.sleep)
    one, other = (JsonRpc(scripted_node.url, traffic=traffic) for _ in range(2))
    for _ in range(15):
        assert await one.call("eth_blockNumber") == await other.call("eth_blockNumber")
    assert time.now == pytest.approx(1.9)
    await one.close()
    await other.close()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (429, "Your app has exceeded its compute units per second capacity."),
        (-32000, "not enough compute units"),
        (-32005, "daily request count exceeded, request rate limited"),
        (-32005, "project ID request rate exceeded"),
        (-32007, "50/second request limit reached - reduce calls per second or upgrade your account"),
        (-32000, "You've exceeded the RPS limit available on the current plan."),
        (-32097, "Rate limit reached. Please try again later"),
        (-32000, "requests per second exceeded"),
        (-32001, "Monthly capacity limit exceeded."),
        (-32090, "Too many requests, reason: call rate limit exhausted"),
    ],
)
def test_providers_have_many_words_for_too_many_calls(code: int, message: str) -> None:
    assert RpcError("eth_call", code, message).busy


@pytest.mark.parametrize(
    "message",
    [
        "query returned more than 10000 results",
        "exceed maximum block range: 50000",
        "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range.",
        "eth_getLogs is limited to a 10,000 range",
        "exceeds block gas limit",
        "execution reverted",
    ],
)
def test_other_limits_are_not_about_the_number_of_calls(message: str) -> None:
    assert not RpcError("eth_call", -32000, message).busy
