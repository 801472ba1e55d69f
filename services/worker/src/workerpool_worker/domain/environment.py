"""Environment variables of a standard app (worker spec A.9)."""

from workerpool_poco.protocol import app_environment as protocol

from workerpool_worker.domain.assignment import Task


def app_environment(task: Task) -> dict[str, str]:
    """Return the environment of a standard app: the documented `IEXEC_*` variables and no others."""
    return protocol.app_environment(
        deal_id=task.deal_id,
        task_id=task.task_id,
        task_index=task.task_index,
        bot_size=task.bot_size,
        bot_first=task.bot_first,
        dataset=task.dataset_address if task.has_dataset else "",
        input_files=task.input_files,
    )
