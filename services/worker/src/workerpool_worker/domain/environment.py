"""Environment variables of a standard app (worker spec A.9)."""

import hashlib

from workerpool_worker.domain.assignment import Task

IEXEC_IN = "/iexec_in"
IEXEC_OUT = "/iexec_out"


def input_file_name(url: str) -> str:
    """Return the file name of an input file: `0x` followed by the SHA-256 of its URL."""
    return "0x" + hashlib.sha256(url.encode()).hexdigest()


def app_environment(task: Task) -> dict[str, str]:
    """Return the environment of a standard app: the documented `IEXEC_*` variables and no others."""
    variables = {
        "IEXEC_DEAL_ID": task.deal_id,
        "IEXEC_TASK_INDEX": str(task.task_index),
        "IEXEC_TASK_ID": task.task_id,
        "IEXEC_IN": IEXEC_IN,
        "IEXEC_OUT": IEXEC_OUT,
        "IEXEC_BOT_SIZE": str(task.bot_size),
        "IEXEC_BOT_FIRST_INDEX": str(task.bot_first),
        "IEXEC_BOT_TASK_INDEX": str(task.task_index),
        "IEXEC_DATASET_ADDRESS": task.dataset_address if task.has_dataset else "",
        "IEXEC_DATASET_FILENAME": task.dataset_address if task.has_dataset else "",
        "IEXEC_INPUT_FILES_NUMBER": str(len(task.input_files)),
    }
    if task.input_files:
        variables["IEXEC_INPUT_FILES_FOLDER"] = IEXEC_IN
        for number, url in enumerate(task.input_files, start=1):
            variables[f"IEXEC_INPUT_FILE_NAME_{number}"] = input_file_name(url)
    return variables
