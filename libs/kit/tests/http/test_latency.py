"""An answer on a connection that is kept open leaves at once."""

import time

import aiohttp
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer


async def test_the_body_does_not_wait_for_the_acknowledgement_of_the_head() -> None:
    server = HttpServer(0, health=Health(), version="1.2.3", host="127.0.0.1")
    await server.start()
    durations: list[float] = []
    async with aiohttp.ClientSession() as http:
        # Linux acknowledges at once on a new connection and after 40 ms on one in use. Single answers are late on a
        # busy machine, so one early answer is enough.
        while len(durations) < 1_000 and not any(each < 0.02 for each in durations[20:]):
            started = time.monotonic()
            async with http.get(f"http://127.0.0.1:{server.port}/actuator/health") as answer:
                await answer.read()
            durations.append(time.monotonic() - started)
    await server.stop()
    assert min(durations[20:]) < 0.02
