"""Environment variables of an app (worker spec A.9): those of a standard app, which an enclave's app has too."""

import hashlib
from collections.abc import Sequence

from workerpool_poco.protocol.ids import Address, DealId, TaskId

IEXEC_IN = "/iexec_in"
IEXEC_OUT = "/iexec_out"


def input_file_name(url: str) -> str:
    """Return the file name of an input file: `0x` followed by the SHA-256 of its URL."""
    return "0x" + hashlib.sha256(url.encode()).hexdigest()


def app_environment(
    *,
    deal_id: DealId,
    task_id: TaskId,
    task_index: int,
    bot_size: int,
    bot_first: int,
    dataset: Address = "",
    input_files: Sequence[str] = (),
) -> dict[str, str]:
    """Return the environment of an app: the documented `IEXEC_*` variables and no others.

    `dataset` is the address of the dataset, empty without one; `input_files` are URLs.
    """
    variables = {
        "IEXEC_DEAL_ID": deal_id,
        "IEXEC_TASK_INDEX": str(task_index),
        "IEXEC_TASK_ID": task_id,
        "IEXEC_IN": IEXEC_IN,
        "IEXEC_OUT": IEXEC_OUT,
        "IEXEC_BOT_SIZE": str(bot_size),
        "IEXEC_BOT_FIRST_INDEX": str(bot_first),
        "IEXEC_BOT_TASK_INDEX": str(task_index),
        "IEXEC_DATASET_ADDRESS": dataset,
        "IEXEC_DATASET_FILENAME": dataset,
        "IEXEC_INPUT_FILES_NUMBER": str(len(input_files)),
    }
    if input_files:
        variables["IEXEC_INPUT_FILES_FOLDER"] = IEXEC_IN
        for number, url in enumerate(input_files, start=1):
            variables[f"IEXEC_INPUT_FILE_NAME_{number}"] = input_file_name(url)
    return variables
