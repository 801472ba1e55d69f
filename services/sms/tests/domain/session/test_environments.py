"""The documented environments of pre, app, post and sign (worker spec D)."""

from typing import Any

from workerpool_poco.protocol.deal_params import DealParams
from workerpool_sms.domain.session.bulk import SessionDataset
from workerpool_sms.domain.session.environments import (
    ResultStorage,
    SessionInputs,
    app_stage_environment,
    post_environment,
    pre_environment,
    sign_environment,
    wanted_requester_secrets,
)

from services.sms.tests.doubles.chain import DATASET, DEAL_ID, TASK_ID, WORKER

KEY = "0x" + "07" * 32
DATA = SessionDataset(DATASET, "https://data/1", "0x" + "01" * 32, "data-key")


def inputs(**changes: Any) -> SessionInputs:
    values: dict[str, Any] = {
        "task_id": TASK_ID,
        "deal_id": DEAL_ID,
        "task_index": 3,
        "bot_first": 2,
        "bot_size": 5,
        "worker": WORKER.address,
        "params": DealParams(),
        "has_callback": False,
        "signing_key": KEY,
    }
    return SessionInputs(**{**values, **changes})


def test_sign_names_task_worker_and_key() -> None:
    assert sign_environment(inputs()) == {
        "IEXEC_TASK_ID": TASK_ID,
        "SIGN_WORKER_ADDRESS": WORKER.address,
        "SIGN_TEE_CHALLENGE_PRIVATE_KEY": KEY,
    }


def test_pre_without_data() -> None:
    assert pre_environment(inputs()) == {
        "IEXEC_TASK_ID": TASK_ID,
        "IEXEC_PRE_COMPUTE_OUT": "/iexec_in",
        "IS_DATASET_REQUIRED": "false",
        "IEXEC_INPUT_FILES_NUMBER": "0",
    }
    assert not inputs().needs_pre_compute


def test_pre_with_dataset_and_input_files() -> None:
    found = pre_environment(inputs(dataset=DATA, params=DealParams(input_files=("https://a", "https://b"))))
    assert found == {
        "IEXEC_TASK_ID": TASK_ID,
        "IEXEC_PRE_COMPUTE_OUT": "/iexec_in",
        "IS_DATASET_REQUIRED": "true",
        "IEXEC_DATASET_URL": "https://data/1",
        "IEXEC_DATASET_FILENAME": DATASET,
        "IEXEC_DATASET_CHECKSUM": "0x" + "01" * 32,
        "IEXEC_DATASET_KEY": "data-key",
        "IEXEC_INPUT_FILES_NUMBER": "2",
        "IEXEC_INPUT_FILE_URL_1": "https://a",
        "IEXEC_INPUT_FILE_URL_2": "https://b",
    }


def test_bulk_numbers_its_datasets_from_1() -> None:
    bulk = inputs(bulk=(DATA, DATA))
    pre, app = pre_environment(bulk), app_stage_environment(bulk)
    assert (pre["IEXEC_BULK_SLICE_SIZE"], app["IEXEC_BULK_SLICE_SIZE"]) == ("2", "2")
    assert {name: pre[f"IEXEC_DATASET_2_{name}"] for name in ("URL", "FILENAME", "CHECKSUM", "KEY")} == {
        "URL": "https://data/1",
        "FILENAME": DATASET,
        "CHECKSUM": "0x" + "01" * 32,
        "KEY": "data-key",
    }
    assert app["IEXEC_DATASET_1_FILENAME"] == DATASET
    assert "data-key" not in app.values()
    assert inputs(bulk=()).needs_pre_compute


def test_the_app_has_the_environment_of_a_standard_app_and_the_secrets() -> None:
    plain = app_stage_environment(inputs(dataset=DATA))
    assert plain["IEXEC_DATASET_FILENAME"] == DATASET
    assert (plain["IEXEC_BOT_FIRST_INDEX"], plain["IEXEC_BOT_SIZE"], plain["IEXEC_BOT_TASK_INDEX"]) == (
        "2",
        "5",
        "3",
    )
    found = app_stage_environment(
        inputs(dataset=DATA, app_secret="dev", requester_secrets={1: "one", 12: "twelve"})
    )
    assert {key: found[key] for key in found.keys() - plain.keys()} == {
        "IEXEC_APP_DEVELOPER_SECRET": "dev",
        "IEXEC_APP_DEVELOPER_SECRET_1": "dev",
        "IEXEC_REQUESTER_SECRET_1": "one",
        "IEXEC_REQUESTER_SECRET_12": "twelve",
    }


def test_post_of_a_result_in_clear_and_of_an_encrypted_one() -> None:
    storage = ResultStorage("ipfs", "https://proxy", "token")
    assert post_environment(inputs(storage=storage)) == {
        "IEXEC_TASK_ID": TASK_ID,
        "RESULT_ENCRYPTION": "no",
        "RESULT_ENCRYPTION_PUBLIC_KEY": "",
        "RESULT_STORAGE_PROVIDER": "ipfs",
        "RESULT_STORAGE_PROXY": "https://proxy",
        "RESULT_STORAGE_TOKEN": "token",
        "RESULT_STORAGE_CALLBACK": "no",
    }
    encrypted = post_environment(inputs(storage=storage, encryption_key="cGVt"))
    assert (encrypted["RESULT_ENCRYPTION"], encrypted["RESULT_ENCRYPTION_PUBLIC_KEY"]) == ("yes", "cGVt")


def test_post_of_a_callback_stores_nothing() -> None:
    found = post_environment(inputs(has_callback=True))
    assert found["RESULT_STORAGE_CALLBACK"] == "yes"
    assert {found[f"RESULT_STORAGE_{name}"] for name in ("PROVIDER", "PROXY", "TOKEN")} == {""}


def test_only_indexes_from_1_name_a_requesters_secret() -> None:
    params = DealParams(
        secrets={"0": "a", "1": "b", "-1": "c", "x": "d", "007": "e", "²": "f", "9" * 30: "g"}
    )
    assert wanted_requester_secrets(params) == {1: "b", 7: "e"}


def test_no_secret_stands_in_the_text_of_the_inputs() -> None:
    text = repr(
        inputs(
            dataset=DATA,
            app_secret="dev",
            requester_secrets={1: "one"},
            storage=ResultStorage("ipfs", "", "token"),
            encryption_key="pem",
        )
    )
    assert not [each for each in (KEY, "data-key", "dev", "'one'", "'token'") if each in text]
