"""The documented environments of the stages of a TEE task: pre, app, post and sign (worker spec D)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workerpool_poco.protocol.app_environment import IEXEC_IN, app_environment
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import Address, DealId, TaskId

from workerpool_sms.domain.secrets import APP_SECRET_INDEX
from workerpool_sms.domain.session.bulk import SessionDataset

Environment = dict[str, str]


@dataclass(frozen=True, slots=True)
class ResultStorage:
    """The storage of the result by the post-compute stage; empty for a callback task, whose result goes on chain."""

    provider: str = ""
    proxy: str = ""
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SessionInputs:
    """The inputs of the environments of one worker's run of one task."""

    task_id: TaskId
    deal_id: DealId
    task_index: int
    bot_first: int
    bot_size: int
    worker: Address
    params: DealParams
    has_callback: bool
    signing_key: str = field(repr=False)
    """Private key of the enclave challenge, 0x-prefixed hexadecimal of 32 bytes."""
    dataset: SessionDataset | None = None
    bulk: Sequence[SessionDataset] | None = None
    """The datasets of a bulk task, possibly none; None for any other task."""
    app_secret: str | None = field(default=None, repr=False)
    requester_secrets: Mapping[int, str] = field(default_factory=dict, repr=False)
    """Values by the index that the app reads; a secret that is not stored is absent."""
    encryption_key: str = field(default="", repr=False)
    """The beneficiary's public key, base64 of its PEM; empty for a result in clear."""
    storage: ResultStorage = ResultStorage()

    @property
    def needs_pre_compute(self) -> bool:
        """Whether there is data to fetch before the app."""
        return self.dataset is not None or self.bulk is not None or bool(self.params.input_files)


def sign_environment(inputs: SessionInputs) -> Environment:
    """Return the variables with which a stage signs with the enclave's key."""
    return {
        "IEXEC_TASK_ID": inputs.task_id,
        "SIGN_WORKER_ADDRESS": inputs.worker,
        "SIGN_TEE_CHALLENGE_PRIVATE_KEY": inputs.signing_key,
    }


def pre_environment(inputs: SessionInputs) -> Environment:
    """Return the environment of the pre-compute stage."""
    found = {
        "IEXEC_TASK_ID": inputs.task_id,
        "IEXEC_PRE_COMPUTE_OUT": IEXEC_IN,
        "IS_DATASET_REQUIRED": _flag(inputs.dataset is not None, "true", "false"),
        "IEXEC_INPUT_FILES_NUMBER": str(len(inputs.params.input_files)),
    }
    if inputs.dataset is not None:
        found |= _dataset("IEXEC_DATASET", inputs.dataset)
    for number, url in enumerate(inputs.params.input_files, start=1):
        found[f"IEXEC_INPUT_FILE_URL_{number}"] = url
    if inputs.bulk is not None:
        found["IEXEC_BULK_SLICE_SIZE"] = str(len(inputs.bulk))
        for number, dataset in enumerate(inputs.bulk, start=1):
            found |= _dataset(f"IEXEC_DATASET_{number}", dataset)
    return found


def app_stage_environment(inputs: SessionInputs) -> Environment:
    """Return the environment of the app: that of a standard app, with the secrets."""
    found = app_environment(
        deal_id=inputs.deal_id,
        task_id=inputs.task_id,
        task_index=inputs.task_index,
        bot_first=inputs.bot_first,
        bot_size=inputs.bot_size,
        dataset=inputs.dataset.address if inputs.dataset else "",
        input_files=inputs.params.input_files,
    )
    if inputs.bulk is not None:
        found["IEXEC_BULK_SLICE_SIZE"] = str(len(inputs.bulk))
        for number, dataset in enumerate(inputs.bulk, start=1):
            found[f"IEXEC_DATASET_{number}_FILENAME"] = dataset.address
    if inputs.app_secret is not None:
        found["IEXEC_APP_DEVELOPER_SECRET"] = inputs.app_secret
        found[f"IEXEC_APP_DEVELOPER_SECRET_{APP_SECRET_INDEX}"] = inputs.app_secret
    for index, value in sorted(inputs.requester_secrets.items()):
        found[f"IEXEC_REQUESTER_SECRET_{index}"] = value
    return found


def post_environment(inputs: SessionInputs) -> Environment:
    """Return the environment of the post-compute stage."""
    return {
        "IEXEC_TASK_ID": inputs.task_id,
        "RESULT_ENCRYPTION": _flag(bool(inputs.encryption_key), "yes", "no"),
        "RESULT_ENCRYPTION_PUBLIC_KEY": inputs.encryption_key,
        "RESULT_STORAGE_PROVIDER": inputs.storage.provider,
        "RESULT_STORAGE_PROXY": inputs.storage.proxy,
        "RESULT_STORAGE_TOKEN": inputs.storage.token,
        "RESULT_STORAGE_CALLBACK": _flag(inputs.has_callback, "yes", "no"),
    }


def wanted_requester_secrets(params: DealParams) -> dict[int, str]:
    """Return the names of the requester's secrets by the index that the app reads, from 1."""
    return {
        int(index): name
        for index, name in params.secrets.items()
        if index.isascii() and index.isdigit() and len(index) < 10 and int(index) >= 1
    }


def _dataset(prefix: str, dataset: SessionDataset) -> Environment:
    return {
        f"{prefix}_URL": dataset.url,
        f"{prefix}_FILENAME": dataset.address,
        f"{prefix}_CHECKSUM": dataset.checksum,
        f"{prefix}_KEY": dataset.key,
    }


def _flag(value: bool, yes: str, no: str) -> str:
    return yes if value else no
