"""The next step of a requester after a failure, by its cause."""

from collections.abc import Mapping

from workerpool_poco.protocol.causes import ReplicateStatusCause, Side

from workerpool_core.domain.blame import BLAME, Treatment
from workerpool_core.domain.model import Task

_C = ReplicateStatusCause
_STDERR = "Read what the app wrote: iexec task debug {task_id} --logs. Correct the app and buy again."
_OUTPUT = (
    "Let the app write computed.json with deterministic-output-path into /iexec_out; "
    "iexec task debug {task_id} --logs shows what it wrote."
)
_IMAGE = "Check that the image {app_uri} exists and is public; the app contract names it."
_PARAMS = "Correct the params of the request order and buy again."
_DATASET = "Check that the dataset's file is public and is the one that its contract describes."
_LIMITS = "Let the app use less, or buy from a pool with larger workers."
_OPERATOR = "Tell the pool's operator if it persists."

NEXT_STEPS: Mapping[ReplicateStatusCause, str] = {
    _C.APP_IMAGE_DOWNLOAD_FAILED: _IMAGE,
    _C.APP_REGISTRY_UNAVAILABLE: "Check that the registry of {app_uri} answers without limits on requests, or move the "
    "image to another one.",
    _C.APP_IMAGE_NAME_INVALID: "Deploy the app again with a valid image name; {app_uri} is invalid.",
    _C.INPUT_FILES_DOWNLOAD_FAILED: "Check that every URL of iexec_input_files can be read without a password.",
    _C.DATASET_FILE_DOWNLOAD_FAILED: _DATASET,
    _C.DATASET_FILE_BAD_CHECKSUM: _DATASET,
    _C.DEAL_PARAMS_INVALID: _PARAMS,
    _C.TASK_DESCRIPTION_INVALID: _PARAMS,
    _C.APP_COMPUTE_FAILED: _STDERR,
    _C.APP_COMPUTE_TIMEOUT: "The category allows {max_execution_s} s: buy a larger category, or make the app faster.",
    _C.APP_OUT_OF_MEMORY: _LIMITS,
    _C.APP_DISK_LIMIT_EXCEEDED: _LIMITS,
    _C.APP_CANNOT_START: "Check the entrypoint and the architecture of the image {app_uri}.",
    _C.RESULT_RULE_BROKEN: "Let the app write a result within the limits that the message names.",
    _C.POST_COMPUTE_TIMEOUT: "Let the app write fewer or smaller files into /iexec_out.",
    _C.POST_COMPUTE_COMPUTED_FILE_NOT_FOUND: _OUTPUT,
    _C.POST_COMPUTE_RESULT_FILE_NOT_FOUND: _OUTPUT,
    _C.POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED: _OUTPUT,
    _C.DETERMINISM_HASH_NOT_FOUND: _OUTPUT,
    _C.STAKE_TOO_LOW: "Buy an order with a lower stake, or wait for a worker that can lock it.",
    _C.TEE_NOT_SUPPORTED: "Buy without the tag of this enclave, or from a pool whose workers have it.",
    _C.UNKNOWN_SMS: "Buy from a pool that serves this enclave, or buy without its tag.",
    _C.GET_TEE_SERVICES_CONFIGURATION_FAILED: _OPERATOR,
    _C.TEE_PREPARATION_FAILED: _OPERATOR,
    _C.ERROR_RESULTS_DISABLED: _STDERR,
    _C.CONTRIBUTION_TIMEOUT: "Buy again, or buy a larger category, whose deadlines are later.",
}
"""Texts with the fields {task_id}, {app_uri} and {max_execution_s}; other causes use the text of their side."""

_BY_SIDE: Mapping[Side, str] = {
    Side.APP: _STDERR,
    Side.REQUESTER: _PARAMS,
    Side.POOL: _OPERATOR,
}


def advice(cause: ReplicateStatusCause, task: Task) -> str:
    """Return what a requester can do about a failure; empty when the worker or the chain is at fault."""
    text = NEXT_STEPS.get(cause, _BY_SIDE.get(BLAME[cause].side, ""))
    terms = task.terms
    for field, value in (
        ("{task_id}", task.task_id),
        ("{app_uri}", terms.app_uri),
        ("{max_execution_s}", str(terms.max_execution_s)),
    ):
        text = text.replace(field, value)
    return text


def consequence(cause: ReplicateStatusCause | None) -> str:
    """Return what the pool does by itself after a failure of one worker."""
    match BLAME[cause].treatment:
        case Treatment.RETRY_LATER:
            return "The task goes to another worker after a pause."
        case Treatment.ANOTHER_WORKER:
            return "The task goes to another worker."
        case Treatment.LAST_RESORT:
            return "Other workers try the task; when none is left, the failure becomes the result."
        case Treatment.ERROR_RESULT:
            return "Another worker tries the task; if it fails the same way, the failure becomes the result."
