"""Orders to workers: only from a form of the page in the session that shows it, with the audit line of gRPC."""

import math

import pytest
from structlog.testing import capture_logs
from workerpool_core.api.operator_page import frame
from workerpool_core.api.pool_service import NAME

from services.core.tests.doubles.markup import checked
from services.core.tests.doubles.page_world import NOW, USER, PageWorld, wallet

ORDERS = ("drain", "undrain", "quarantine", "release")


@pytest.fixture
async def worker(world: PageWorld) -> str:
    return world.connect(1)


def form_of(world: PageWorld, signed: dict[str, str], **fields: str) -> dict[str, str]:
    return {"form_token": world.form_token(signed)} | fields


async def test_the_form_of_a_worker_drains_and_undrains_it(
    world: PageWorld, signed: dict[str, str], worker: str
) -> None:
    page = checked((await world.get(f"/ui/workers/{worker}", signed)).text)
    form = page.query_one('form[action$="/drain"]')
    token = form.query_one('input[name="form_token"]').attrs["value"]
    assert form.attrs["action"] == f"{worker}/drain"
    drained = await world.post(
        f"/ui/workers/{worker}/drain", {"form_token": token, "seconds": "3600"}, signed
    )
    assert (drained.status, drained.headers["location"]) == (303, f"../{worker}")
    assert world.ledger.workers[worker].drained_until == NOW + 3_600
    shown = await world.get(f"/ui/workers/{worker}", signed)
    assert "Drained until" in shown.text
    await world.post(f"/ui/workers/{worker}/undrain", {"form_token": token}, signed)
    assert world.ledger.workers[worker].drained_until <= NOW


async def test_a_drain_without_end_and_a_quarantine_with_its_release(
    world: PageWorld, signed: dict[str, str], worker: str
) -> None:
    await world.post(f"/ui/workers/{worker}/drain", form_of(world, signed, seconds=""), signed)
    assert world.ledger.workers[worker].drained_until == math.inf
    assert "without end" in (await world.get(f"/ui/workers/{worker}", signed)).text
    await world.post(f"/ui/workers/{worker}/quarantine", form_of(world, signed, seconds="86400"), signed)
    assert world.engine.workers[worker].worker.quarantine_end == NOW + 86_400
    await world.post(f"/ui/workers/{worker}/release", form_of(world, signed), signed)
    assert world.engine.workers[worker].worker.quarantine_end <= NOW


async def test_the_audit_line_is_that_of_the_grpc_method(
    world: PageWorld, signed: dict[str, str], worker: str
) -> None:
    form = form_of(world, signed, seconds="3600")
    with capture_logs() as lines:
        await world.post(f"/ui/workers/{worker}/drain", form, signed)
        await world.post(f"/ui/workers/{wallet(9)}/drain", form, signed)
    orders = [line for line in lines if line["event"] == "audit.order_handled"]
    assert [(line["who"], line["method"], line["outcome"], line["peer"]) for line in orders] == [
        (USER, f"/{NAME}/DrainWorker", "OK", "10.0.0.7:5000"),
        (USER, f"/{NAME}/DrainWorker", "UNKNOWN_WORKER", "10.0.0.7:5000"),
    ]
    assert orders[0]["request"] == f'wallet_address: "{worker}" duration {{ seconds: 3600 }}'
    assert not any(form["form_token"] in str(line) for line in lines)


@pytest.mark.parametrize("order", ORDERS)
async def test_an_order_from_elsewhere_changes_nothing(
    world: PageWorld, signed: dict[str, str], worker: str, order: str
) -> None:
    path, form = f"/ui/workers/{worker}/{order}", form_of(world, signed, seconds="3600")
    others = world.sign_in()
    before = world.ledger.workers[worker]
    attempts = {
        "a page of another site": await world.post(path, form, signed | {"origin": "https://evil.example"}),
        "a page of another port": await world.post(
            path, form, signed | {"origin": "http://pool.example:13200"}
        ),
        "a sandboxed page": await world.post(path, form, signed | {"origin": "null"}),
        "a browser that says cross-site": await world.post(
            path, form, signed | {"sec-fetch-site": "cross-site"}
        ),
        "no token": await world.post(path, {"seconds": "3600"}, signed),
        "the token of another session": await world.post(path, form_of(world, others), signed),
        "a stranger": await world.post(path, form),
    }
    assert {name: answer.status for name, answer in attempts.items()} == dict.fromkeys(attempts, 403) | {
        "a stranger": 401
    }
    assert world.ledger.workers[worker] is before
    assert (await world.get(path, signed)).status == 405


async def test_a_duration_that_no_form_offers_is_refused(
    world: PageWorld, signed: dict[str, str], worker: str
) -> None:
    path = f"/ui/workers/{worker}/drain"
    assert (await world.post(path, form_of(world, signed, seconds="-1"), signed)).status == 400
    assert (
        await world.post("/ui/workers/0x12/drain", form_of(world, signed, seconds=""), signed)
    ).status == 400


def test_the_cookie_names_the_pool_and_no_other_software() -> None:
    assert frame.COOKIE == "workerpool_operator"
