"""An operator signs in with the credentials of gRPC; every other visitor is refused."""

import pytest
from structlog.testing import capture_logs
from workerpool_core.api.operator_page import sign_in
from workerpool_core.app.operators.sessions import IDLE_S, LIFETIME_S
from workerpool_kit.access.wrong_passwords import ALLOWED

from services.core.tests.doubles.markup import checked, text_of
from services.core.tests.doubles.page_world import HOST, PASSWORD, USER, PageWorld

RIGHT = {"username": USER, "password": PASSWORD}
WRONG: tuple[dict[str, str], ...] = (
    {"username": USER, "password": "guess"},
    {"username": "root", "password": PASSWORD},
    {},
)


def cookie_of(answer_headers: dict[str, str]) -> dict[str, str]:
    """Return the header that a browser sends with the cookie of an answer."""
    return {"cookie": answer_headers["set-cookie"].partition(";")[0]}


async def test_the_right_credentials_open_the_page_that_was_asked_for(world: PageWorld) -> None:
    with capture_logs() as lines:
        answer = await world.post("/ui/sign-in", RIGHT | {"next": "tasks?status=open"})
    assert (answer.status, answer.headers["location"]) == (303, "./tasks?status=open")
    flags = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= flags
    assert "secure" not in flags
    shown = await world.get("/ui/tasks", cookie_of(answer.headers))
    assert shown.status == 200
    assert [(line["event"], line["who"], line["peer"]) for line in lines] == [
        ("audit.logged_in", USER, "10.0.0.7:5000")
    ]


async def test_over_tls_the_cookie_stays_on_tls(world: PageWorld) -> None:
    world.scheme = "https"
    answer = await world.post("/ui/sign-in", RIGHT, {"origin": f"https://{HOST}"})
    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize("form", WRONG)
async def test_wrong_credentials_open_nothing_and_leave_a_line(
    world: PageWorld, form: dict[str, str]
) -> None:
    with capture_logs() as lines:
        answer = await world.post("/ui/sign-in", form | {"next": "wallet"})
    document = checked(answer.text)
    assert (answer.status, text_of(document, "#problem")) == (401, "The user name or the password is wrong.")
    assert "set-cookie" not in answer.headers
    assert document.query_one('input[name="next"]').attrs["value"] == "wallet"
    assert not any(PASSWORD in str(line) or "guess" in str(line) for line in lines)
    assert [line["event"] for line in lines] == ["audit.access_refused"]


async def test_an_address_with_too_many_wrong_passwords_must_wait(world: PageWorld) -> None:
    for _ in range(ALLOWED):
        assert (await world.post("/ui/sign-in", WRONG[0])).status == 401
    refused = await world.post("/ui/sign-in", RIGHT)
    assert (refused.status, refused.headers["retry-after"]) == (429, "5")
    told = text_of(checked(refused.text), "#problem")
    assert told == "Too many wrong passwords came from your address. Wait 5 seconds, then sign in."
    world.address = "10.0.0.8"
    assert (await world.post("/ui/sign-in", RIGHT)).status == 303


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example", "/ui/../x", "javascript:alert(1)", "..//evil", "a\\b"],
)
async def test_no_other_site_is_led_to(world: PageWorld, wanted: str) -> None:
    answer = await world.post("/ui/sign-in", RIGHT | {"next": wanted})
    assert answer.headers["location"] == "./"


async def test_a_form_of_another_site_opens_no_session(world: PageWorld) -> None:
    answer = await world.post("/ui/sign-in", RIGHT, {"origin": "https://evil.example"})
    assert (answer.status, "set-cookie" in answer.headers) == (403, False)


async def test_without_credentials_in_the_settings_the_page_names_the_variables() -> None:
    world = PageWorld(operator=False)
    shown = await world.get("/ui/sign-in")
    assert "IEXEC_CORE_OPERATOR_PASSWORD" in text_of(checked(shown.text), "main")
    sent = await world.post("/ui/sign-in", {"username": "", "password": ""})
    assert (sent.status, "set-cookie" in sent.headers) == (403, False)
    world.engine.stop()


async def test_a_signed_out_session_opens_nothing(world: PageWorld, signed: dict[str, str]) -> None:
    refused = await world.post("/ui/sign-out", {"form_token": "x"}, signed)
    assert refused.status == 403
    answer = await world.post("/ui/sign-out", {"form_token": world.form_token(signed)}, signed)
    assert (answer.status, 'workerpool_operator=""' in answer.headers["set-cookie"]) == (303, True)
    assert (await world.get("/ui/workers", signed)).status == 303


@pytest.mark.parametrize(("seconds", "status"), [(IDLE_S - 1, 200), (IDLE_S, 303)])
async def test_an_idle_session_ends(
    world: PageWorld, signed: dict[str, str], seconds: float, status: int
) -> None:
    world.clock.advance(seconds)
    assert (await world.get("/ui/workers", signed)).status == status


async def test_a_busy_session_ends_too(world: PageWorld, signed: dict[str, str]) -> None:
    for _ in range(int(LIFETIME_S / IDLE_S * 2)):
        world.clock.advance(IDLE_S / 2)
        last = await world.get("/ui/workers", signed)
    assert last.status == 303


async def test_a_signed_in_operator_needs_no_form(world: PageWorld, signed: dict[str, str]) -> None:
    answer = await world.get("/ui/sign-in?next=wallet", signed)
    assert (answer.status, answer.headers["location"]) == (303, "./wallet")


@pytest.mark.parametrize(
    ("host", "scheme", "warned"),
    [
        (HOST, "http", True),
        (HOST, "https", False),
        ("localhost:13000", "http", False),
        ("[::1]", "http", False),
    ],
)
async def test_a_connection_without_tls_from_another_host_is_warned_about(
    world: PageWorld, host: str, scheme: str, warned: bool
) -> None:
    world.scheme = scheme
    shown = await world.get("/ui/sign-in", {"host": host})
    assert ("not encrypted" in shown.text) is warned


def test_a_path_of_the_page_is_distinguished_from_another_site() -> None:
    assert sign_in._our_path("workers/0xAb?page=a%2Bb") == "workers/0xAb?page=a%2Bb"
