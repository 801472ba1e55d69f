"""The task a worker computes and the authorization to contribute to it."""

from dataclasses import dataclass

from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, DealId, TaskId


@dataclass(frozen=True, slots=True)
class Task:
    """A task description. Times are Unix seconds, durations seconds, amounts nRLC, ids lower-case `0x…` text."""

    task_id: TaskId
    deal_id: DealId
    task_index: int
    app_uri: str
    command_line: str
    max_execution_s: float
    contribution_deadline: float
    final_deadline: float
    tag: str
    bot_first: int = 0
    bot_size: int = 1
    app_address: Address = ZERO_ADDRESS
    input_files: tuple[str, ...] = ()
    dataset_address: Address = ZERO_ADDRESS
    dataset_uri: str = ""
    dataset_checksum: str = ""
    trust: int = 1
    callback: Address = ZERO_ADDRESS
    requester: Address = ZERO_ADDRESS
    beneficiary: Address = ZERO_ADDRESS
    worker_stake: int = 0
    result_storage_provider: str = ""
    result_storage_proxy: str = ""
    result_encryption: bool = False

    @property
    def has_dataset(self) -> bool:
        """Whether the deal names a dataset."""
        return self.dataset_address != ZERO_ADDRESS

    @property
    def has_callback(self) -> bool:
        """Whether the result goes to a callback contract instead of a result proxy."""
        return self.callback != ZERO_ADDRESS


@dataclass(frozen=True, slots=True)
class Assignment:
    """A replicate to run. It contains everything the worker needs, so no second request follows."""

    authorization: WorkerpoolAuthorization
    task: Task
    initialization_block: int
    """Block of the `TaskInitialize` event, 0 if unknown. The worker waits until its own node has this block."""
    wire: bytes = b""
    """The serialized message as received. The journal stores it in this form."""

    @property
    def task_id(self) -> TaskId:
        """Id of the task, lower-case `0x…` text."""
        return self.task.task_id
