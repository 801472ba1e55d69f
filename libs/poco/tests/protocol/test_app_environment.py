"""The documented variables of an app."""

import hashlib

from workerpool_poco.protocol.app_environment import app_environment
from workerpool_poco.protocol.ids import DealId, TaskId

DEAL, TASK = DealId("0x" + "aa" * 32), TaskId("0x" + "bb" * 32)
PLAIN = {
    "IEXEC_DEAL_ID": DEAL,
    "IEXEC_TASK_INDEX": "3",
    "IEXEC_TASK_ID": TASK,
    "IEXEC_IN": "/iexec_in",
    "IEXEC_OUT": "/iexec_out",
    "IEXEC_BOT_SIZE": "5",
    "IEXEC_BOT_FIRST_INDEX": "2",
    "IEXEC_BOT_TASK_INDEX": "3",
    "IEXEC_DATASET_ADDRESS": "",
    "IEXEC_DATASET_FILENAME": "",
    "IEXEC_INPUT_FILES_NUMBER": "0",
}


def test_a_task_without_data_has_exactly_the_documented_variables() -> None:
    found = app_environment(deal_id=DEAL, task_id=TASK, task_index=3, bot_size=5, bot_first=2)
    assert found == PLAIN


def test_dataset_and_input_files_are_named() -> None:
    found = app_environment(
        deal_id=DEAL,
        task_id=TASK,
        task_index=3,
        bot_size=5,
        bot_first=2,
        dataset="0x" + "cc" * 20,
        input_files=("https://a/1", "https://a/2"),
    )
    assert found == PLAIN | {
        "IEXEC_DATASET_ADDRESS": "0x" + "cc" * 20,
        "IEXEC_DATASET_FILENAME": "0x" + "cc" * 20,
        "IEXEC_INPUT_FILES_NUMBER": "2",
        "IEXEC_INPUT_FILES_FOLDER": "/iexec_in",
        "IEXEC_INPUT_FILE_NAME_1": "0x" + hashlib.sha256(b"https://a/1").hexdigest(),
        "IEXEC_INPUT_FILE_NAME_2": "0x" + hashlib.sha256(b"https://a/2").hexdigest(),
    }
