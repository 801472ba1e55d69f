import asyncio
import time

import aiohttp
import pytest
from patience import PATIENCE_S
from workerpool_devnet.processes.ports import free_port

from sequencer.behaviour import MEMPOOL, Behaviour
from sequencer.conftest import Client, Serve
from sequencer.proxy import BEHAVIOUR_PATH, CALLS_PATH, Proxy

CALL = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}


async def answer(client: Client) -> tuple[int, str, dict[str, str]]:
    async with client.http.post(client.proxy.url, json=CALL) as response:
        return response.status, await response.text(), dict(response.headers)


async def test_a_client_above_the_rate_is_refused_with_and_without_the_time_to_wait(serve: Serve) -> None:
    async with serve(MEMPOOL, calls_per_second=5, retry_after_s=2) as client:
        statuses = [(await answer(client))[0] for _ in range(12)]
        assert statuses[:5] == [200] * 5
        assert 429 in statuses
        client.proxy.behaviour = client.proxy.behaviour.changed({"too_many_probability": 1.0})
        assert (await answer(client))[2]["Retry-After"] == "2"
        client.proxy.behaviour = client.proxy.behaviour.changed({"retry_after_s": -1})
        assert "Retry-After" not in (await answer(client))[2]


async def test_the_rate_recovers_with_time(serve: Serve) -> None:
    async with serve(MEMPOOL, calls_per_second=5) as client:
        while (await answer(client))[0] == 200:
            pass
        async with asyncio.timeout(PATIENCE_S):
            while (await answer(client))[0] != 200:
                await asyncio.sleep(0.05)


async def test_compute_units_run_out_in_a_json_error(serve: Serve) -> None:
    async with serve(MEMPOOL, compute_units_probability=1.0) as client:
        refused = await client.ask("eth_chainId")
        assert refused["error"]["code"] == 429
        assert "compute units per second" in refused["error"]["message"]


async def test_whole_requests_fail_in_every_way(serve: Serve) -> None:
    async with serve(MEMPOOL) as client:
        passed = client.proxy.behaviour
        client.proxy.behaviour = passed.changed({"bad_gateway_probability": 1.0})
        assert (await answer(client))[0] == 502
        client.proxy.behaviour = passed.changed({"html_probability": 1.0})
        assert (await answer(client))[1].startswith("<html>")
        client.proxy.behaviour = passed.changed({"truncated_probability": 1.0})
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            await client.ask("eth_chainId")
        client.proxy.behaviour = passed.changed({"cut_probability": 1.0})
        with pytest.raises(aiohttp.ClientError):
            await answer(client)
        client.proxy.behaviour = passed
        assert (await answer(client))[0] == 200
        assert client.proxy.calls()["statuses"] == {"200": 3, "502": 1, "cut": 1}


async def test_a_request_gets_no_answer(serve: Serve) -> None:
    async with serve(MEMPOOL, silent_probability=1.0) as client:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            async with client.http.post(
                client.proxy.url, json=CALL, timeout=aiohttp.ClientTimeout(total=0.5)
            ):
                pass
        assert time.monotonic() - started >= 0.5


async def test_switches_change_while_the_proxy_runs(serve: Serve) -> None:
    async with serve(MEMPOOL) as client:
        url = client.proxy.url + BEHAVIOUR_PATH
        async with client.http.put(url, json={"lag_blocks": 4}) as changed:
            assert (await changed.json())["lag_blocks"] == 4
        assert client.proxy.behaviour.lag_blocks == 4
        async with client.http.put(url, json={"lag": 4}) as refused:
            assert (refused.status, await refused.text()) == (400, "there is no behaviour lag")
        await client.ask("eth_chainId")
        async with client.http.get(client.proxy.url + CALLS_PATH) as calls:
            assert (await calls.json())["methods"] == {"eth_chainId": 1}


async def test_an_unreachable_chain_is_a_bad_gateway() -> None:
    proxy = Proxy(f"http://127.0.0.1:{free_port()}", Behaviour(), port=free_port())
    async with proxy, aiohttp.ClientSession() as http, http.post(proxy.url, json=CALL) as response:
        assert response.status == 502
