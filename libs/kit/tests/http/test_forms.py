"""Forms are read from pages of the same origin only."""

import pytest
from starlette.requests import Request
from workerpool_kit.http.bodies import BodyTooLarge
from workerpool_kit.http.forms import MAX_FORM_BYTES, CrossOrigin, MalformedForm, read_form

FORM = "application/x-www-form-urlencoded"
HOST = "pool.example:7001"


def posted(body: bytes, content_type: str = FORM, **headers: str) -> Request:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    sent = {"host": HOST, "content-type": content_type} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    raw = [(name.encode(), value.encode()) for name, value in sent.items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive)


async def test_fields_are_decoded_and_blank_ones_kept() -> None:
    form = await read_form(posted(b"name=a%26b+c&empty=&name=last", f"{FORM}; charset=utf-8"))
    assert form == {"name": "last", "empty": ""}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": f"http://{HOST}"},
        {"origin": f"https://{HOST}"},
        {"sec_fetch_site": "same-origin", "origin": f"https://{HOST}"},
        {"sec_fetch_site": "none"},
    ],
)
async def test_a_form_of_the_page_itself_is_read(headers: dict[str, str]) -> None:
    assert await read_form(posted(b"a=1", **headers)) == {"a": "1"}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://pool.example:13200"},
        {"origin": "null"},
        {"origin": "http://["},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site", "origin": f"http://{HOST}"},
        {"sec_fetch_site": ""},
    ],
)
async def test_a_form_of_another_origin_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(CrossOrigin):
        await read_form(posted(b"a=1", **headers))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"{}", "application/json"), (b"a=1", "text/plain"), (b"\xff=1", FORM), (b"a=1&" * 60, FORM)],
)
async def test_a_body_that_is_no_form_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(MalformedForm):
        await read_form(posted(body, content_type))


async def test_a_large_form_is_refused() -> None:
    with pytest.raises(BodyTooLarge):
        await read_form(posted(b"a=" + b"x" * MAX_FORM_BYTES))
