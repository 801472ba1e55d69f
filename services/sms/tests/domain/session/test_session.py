"""Sessions as data."""

import json
from itertools import count

import pytest
from workerpool_sms.domain.frameworks import EnclaveImage, Framework
from workerpool_sms.domain.session.session import app_image, build_session, session_id_of
from workerpool_sms.errors import EnclaveConfigInvalid, EnclaveConfigMissing

from services.sms.tests.domain.session.test_environments import DATA, inputs
from services.sms.tests.doubles.chain import TASK_ID
from services.sms.tests.instance import VERSION

CONFIG = {
    "framework": "SCONE",
    "version": "v5",
    "entrypoint": "/app",
    "heapSize": 1 << 30,
    "fingerprint": "fp",
}


def test_an_id_is_ten_random_characters_four_zeros_and_the_task() -> None:
    found = session_id_of(TASK_ID, count(1_000))
    assert len(found) == 80
    assert found[:10].isalnum()
    assert found[10:] == "0000" + TASK_ID
    assert found != session_id_of(TASK_ID, count(7))


def test_a_session_names_its_services_in_order() -> None:
    session = build_session(
        "id", Framework.TDX, inputs(dataset=DATA), EnclaveImage("app:1", "app-fp"), VERSION
    )
    found = json.loads(session.encode())
    assert found["session"] == "id"
    assert [(each["name"], each["image_name"], each["fingerprint"]) for each in found["services"]] == [
        ("pre-compute", "pre:5", "pre-fp"),
        ("app", "app:1", "app-fp"),
        ("post-compute", "post:5", "post-fp"),
    ]
    pre, app, post = (each["environment"] for each in found["services"])
    assert pre["IEXEC_DATASET_KEY"] == "data-key"
    assert "SIGN_TEE_CHALLENGE_PRIVATE_KEY" in pre
    assert "SIGN_TEE_CHALLENGE_PRIVATE_KEY" in post
    assert "SIGN_TEE_CHALLENGE_PRIVATE_KEY" not in app
    assert "data-key" not in repr(session)


def test_a_task_without_data_has_no_pre_compute() -> None:
    session = build_session("id", Framework.TDX, inputs(), EnclaveImage("app:1"), VERSION)
    assert [service.name for service in session.services] == ["app", "post-compute"]


def test_tdx_needs_no_enclave_configuration() -> None:
    assert app_image("app:1", b"", Framework.TDX) == (EnclaveImage("app:1"), "")
    with pytest.raises(EnclaveConfigMissing, match="SCONE needs"):
        app_image("app:1", b"", Framework.SCONE)


def test_the_configuration_of_an_app_names_fingerprint_and_version() -> None:
    found = app_image("app:1", json.dumps(CONFIG).encode(), Framework.SCONE)
    assert found == (EnclaveImage("app:1", "fp", "/app", 1 << 30), "v5")


@pytest.mark.parametrize(
    "config",
    [
        b"\xff",
        b"{",
        b"[]",
        b"7",
        b"{}",
        json.dumps({**CONFIG, "framework": "GRAMINE"}).encode(),
        json.dumps({**CONFIG, "heapSize": "big"}).encode(),
        json.dumps({**CONFIG, "heapSize": -1}).encode(),
        json.dumps({**CONFIG, "fingerprint": ""}).encode(),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(config: bytes) -> None:
    with pytest.raises(EnclaveConfigInvalid):
        app_image("app:1", config, Framework.SCONE)
