"""The environment of a standard app."""

import hashlib

from workerpool_worker.domain.environment import app_environment

from services.worker.tests.harness.builders import DEAL_ID, TASK_ID, WORKER, task


def test_a_task_without_data_has_exactly_the_documented_variables() -> None:
    assert app_environment(task(bot_size=5, bot_first=2)) == {
        "IEXEC_DEAL_ID": DEAL_ID,
        "IEXEC_TASK_INDEX": "3",
        "IEXEC_TASK_ID": TASK_ID,
        "IEXEC_IN": "/iexec_in",
        "IEXEC_OUT": "/iexec_out",
        "IEXEC_BOT_SIZE": "5",
        "IEXEC_BOT_FIRST_INDEX": "2",
        "IEXEC_BOT_TASK_INDEX": "3",
        "IEXEC_DATASET_ADDRESS": "",
        "IEXEC_DATASET_FILENAME": "",
        "IEXEC_INPUT_FILES_NUMBER": "0",
    }


def test_dataset_and_input_files_are_named() -> None:
    urls = ("https://a/1", "https://a/2")
    found = app_environment(task(input_files=urls, dataset_address=WORKER))
    assert found["IEXEC_DATASET_FILENAME"] == WORKER
    assert found["IEXEC_INPUT_FILES_NUMBER"] == "2"
    assert found["IEXEC_INPUT_FILES_FOLDER"] == "/iexec_in"
    assert found["IEXEC_INPUT_FILE_NAME_2"] == "0x" + hashlib.sha256(b"https://a/2").hexdigest()
