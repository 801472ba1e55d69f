import asyncio

import pytest
from starlette.requests import Request
from workerpool_kit.http import bodies
from workerpool_kit.http.bodies import BodyTooLarge, BodyTooSlow, read_body


def _request(*chunks: bytes) -> Request:
    waiting = list(chunks)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


async def test_a_body_within_the_limit_is_read_whole() -> None:
    assert await read_body(_request(b"ab", b"", b"cd"), 4) == b"abcd"


async def test_a_body_above_the_limit_is_refused_before_it_is_read_whole() -> None:
    request = _request(*[b"x" * 10] * 5)
    with pytest.raises(BodyTooLarge, match="larger than 15 bytes"):
        await read_body(request, 15)


async def test_a_body_that_does_not_arrive_is_refused_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "GRACE_S", 0.01)

    async def receive() -> dict[str, object]:
        await asyncio.Event().wait()
        raise AssertionError("it never comes")

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(BodyTooSlow, match="did not arrive within 0 s"):
        await read_body(request, 15)
