"""The table of blame: what happens to a task after a failure of each cause, and whether it counts.

`workerpool_poco.protocol.causes` assigns a side to each cause; workers use the sides too. A requester can make honest
workers report any cause on the requester's, the pool's or the chain's side. So only causes on the worker's side count
towards quarantine (core spec §2.9 lists the protocol's causes).
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from workerpool_poco.protocol.causes import LOST_RACES, SIDES, ReplicateStatusCause, Side

_C = ReplicateStatusCause


class Treatment(Enum):
    """What happens to the task after a failure."""

    ERROR_RESULT = "contributed as an error result"
    LAST_RESORT = "given to another worker; contributed as an error result once no other can try it"
    ANOTHER_WORKER = "given to another worker"
    RETRY_LATER = "given to another worker after a pause"


class Counting(Enum):
    """Whether a failure counts towards the quarantine of the worker that reported it."""

    NEVER = "no"
    ALWAYS = "yes"
    BEFORE_DEADLINE = "only before the contribution deadline, by the chain's time"


class Blame(NamedTuple):
    """One row of the table."""

    side: Side
    treatment: Treatment
    counting: Counting = Counting.NEVER


_TEE = "TEE_SESSION_GENERATION_"
_TEE_REQUESTER = (
    "EXECUTION_NOT_AUTHORIZED_EMPTY_PARAMS_UNAUTHORIZED",
    "EXECUTION_NOT_AUTHORIZED_NO_MATCH_ONCHAIN_TYPE",
    "PRE_COMPUTE_GET_DATASET_SECRET_FAILED",
    "APP_COMPUTE_NO_ENCLAVE_CONFIG",
    "APP_COMPUTE_INVALID_ENCLAVE_CONFIG",
    "POST_COMPUTE_GET_ENCRYPTION_TOKENS_FAILED_EMPTY_BENEFICIARY_KEY",
    "POST_COMPUTE_GET_STORAGE_TOKENS_FAILED",
)


def _rows(
    causes: Iterable[ReplicateStatusCause | None], treatment: Treatment, counting: Counting = Counting.NEVER
) -> dict[ReplicateStatusCause | None, Blame]:
    # A failure without a cause is the worker's own.
    return {
        cause: Blame(Side.WORKER if cause is None else SIDES[cause], treatment, counting) for cause in causes
    }


def _with_prefix(*prefixes: str) -> list[ReplicateStatusCause]:
    return [cause for cause in _C if cause.startswith(prefixes)]


BLAME: Mapping[ReplicateStatusCause | None, Blame] = {
    # The app and its output, and the requester's files and parameters.
    **_rows(
        (
            _C.APP_IMAGE_DOWNLOAD_FAILED,
            _C.APP_IMAGE_NAME_INVALID,
            _C.APP_COMPUTE_FAILED,
            _C.APP_COMPUTE_TIMEOUT,
            _C.APP_OUT_OF_MEMORY,
            _C.APP_CANNOT_START,
            _C.APP_DISK_LIMIT_EXCEEDED,
            _C.RESULT_RULE_BROKEN,
            _C.POST_COMPUTE_TIMEOUT,
            _C.POST_COMPUTE_COMPUTED_FILE_NOT_FOUND,
            _C.POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED,
            _C.POST_COMPUTE_OUT_FOLDER_ZIP_FAILED,
            _C.POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME,
            _C.POST_COMPUTE_RESULT_FILE_NOT_FOUND,
            _C.INPUT_FILES_DOWNLOAD_FAILED,
            _C.DATASET_FILE_DOWNLOAD_FAILED,
            _C.DATASET_FILE_BAD_CHECKSUM,
            _C.DEAL_PARAMS_INVALID,
        ),
        Treatment.ERROR_RESULT,
    ),
    # The app owner's registry may fail for one worker and serve another. If it fails for all, the pool must not lose
    # its stake.
    **_rows((_C.APP_REGISTRY_UNAVAILABLE,), Treatment.LAST_RESORT),
    # The worker's host failed or did not respond.
    **_rows(
        (
            None,
            _C.OUT_OF_GAS,
            _C.HOST_FAILED,
            _C.ASSIGNMENT_TIMEOUT,
            _C.EXECUTION_TIMEOUT,
            _C.REVEAL_TIMEOUT,
            _C.APP_NOT_FOUND_LOCALLY,
        ),
        Treatment.ANOTHER_WORKER,
        Counting.ALWAYS,
    ),
    **_rows((_C.CONTRIBUTION_TIMEOUT,), Treatment.ANOTHER_WORKER, Counting.BEFORE_DEADLINE),
    # Another worker may try at once; the failure says nothing about this one. A failed enclave step cannot become an
    # error result, because an error result has no enclave signature.
    **_rows(
        (
            _C.DETERMINISM_HASH_NOT_FOUND,
            _C.RESULT_LINK_MISSING,
            _C.TASK_DESCRIPTION_INVALID,
            # A deal can ask for a stake or an enclave that an honest worker lacks.
            _C.STAKE_TOO_LOW,
            _C.TEE_NOT_SUPPORTED,
            _C.ABORTED_BY_WORKER,
            _C.UNKNOWN,
            _C.WORKERPOOL_AUTHORIZATION_NOT_FOUND,
            _C.ENCLAVE_SIGNATURE_NOT_FOUND,
            _C.ERROR_RESULT_UNCONFIRMED,
            _C.ERROR_RESULTS_DISABLED,
            *LOST_RACES,
            *_with_prefix("PRE_COMPUTE_"),
            _C.POST_COMPUTE_ENCRYPTION_PUBLIC_KEY_MISSING,
            _C.POST_COMPUTE_MALFORMED_ENCRYPTION_PUBLIC_KEY,
            _C.POST_COMPUTE_ENCRYPTION_FAILED,
            _C.POST_COMPUTE_STORAGE_TOKEN_MISSING,
            _C.POST_COMPUTE_DROPBOX_UPLOAD_FAILED,
            _C.POST_COMPUTE_IMAGE_MISSING,
            _C.POST_COMPUTE_TASK_ID_MISSING,
            _C.POST_COMPUTE_EXIT_REPORTING_FAILED,
            _C.POST_COMPUTE_WORKER_ADDRESS_MISSING,
            _C.POST_COMPUTE_TEE_CHALLENGE_PRIVATE_KEY_MISSING,
            _C.POST_COMPUTE_INVALID_TEE_SIGNATURE,
            _C.POST_COMPUTE_SEND_COMPUTED_FILE_FAILED,
            _C.POST_COMPUTE_FAILED_UNKNOWN_ISSUE,
        ),
        Treatment.ANOTHER_WORKER,
    ),
    # A service of the pool or the chain's node is unavailable.
    **_rows(
        (
            _C.UNKNOWN_SMS,
            _C.GET_TEE_SERVICES_CONFIGURATION_FAILED,
            _C.TEE_PREPARATION_FAILED,
            _C.PUBLIC_REGISTRY_UNAVAILABLE,
            _C.POST_COMPUTE_IPFS_UPLOAD_FAILED,
            _C.CHAIN_UNREACHABLE,
            _C.BLOCK_NOT_REACHED,
            _C.TASK_DESCRIPTION_NOT_FOUND,
            *_with_prefix(_TEE),
        ),
        Treatment.RETRY_LATER,
    ),
    **_rows((_C(_TEE + name) for name in _TEE_REQUESTER), Treatment.ANOTHER_WORKER),
}
"""The row of each cause; None is a failure that was reported without a cause."""


def is_error_result(cause: ReplicateStatusCause | None) -> bool:
    """Return whether a failure with this cause can be contributed as an error result."""
    return BLAME[cause].treatment in (Treatment.ERROR_RESULT, Treatment.LAST_RESORT)


def is_last_resort(cause: ReplicateStatusCause | None) -> bool:
    """Return whether a failure with this cause is contributed only when no other worker can try the task."""
    return BLAME[cause].treatment is Treatment.LAST_RESORT


def waits_for_retry(cause: ReplicateStatusCause | None) -> bool:
    """Return whether the task should pause after a failure with this cause."""
    return BLAME[cause].treatment is Treatment.RETRY_LATER


def counts(cause: ReplicateStatusCause | None, *, before_deadline: bool) -> bool:
    """Return whether a failure counts towards quarantine.

    `before_deadline`: the chain's time has not passed the contribution deadline of the task.
    """
    counting = BLAME[cause].counting
    return counting is Counting.ALWAYS or (counting is Counting.BEFORE_DEADLINE and before_deadline)


def document() -> str:
    """Return the table as Markdown, for docs/blame.md."""
    lines = [
        "| cause | side | the task is | counts towards quarantine |",
        "|---|---|---|---|",
    ]
    for cause in (None, *_C):
        side, treatment, counting = BLAME[cause]
        name = "(no cause)" if cause is None else cause.value
        lines.append(f"| {name} | {side.value} | {treatment.value} | {counting.value} |")
    return "\n".join(lines)
