"""The causes that each stage may report, so that each has its counter before it happens for the first time."""

from collections.abc import Mapping

from workerpool_poco.protocol.statuses import ReplicateStatusCause as Cause

from workerpool_worker.domain.stages import Stage

_ANY = frozenset(
    {
        Cause.HOST_FAILED,
        Cause.UNKNOWN,
        Cause.CHAIN_UNREACHABLE,
        Cause.CHAIN_RECEIPT_NOT_VALID,
        Cause.OUT_OF_GAS,
        Cause.TASK_NOT_ACTIVE,
    }
)
"""Causes that may end any stage."""
_REFUSED = frozenset(
    {Cause.STAKE_TOO_LOW, Cause.TASK_NOT_ACTIVE, Cause.CONTRIBUTION_TIMEOUT, Cause.CONTRIBUTION_ALREADY_SET}
)
"""Why the hub would refuse a contribution."""
_IMAGE = frozenset(
    {
        Cause.APP_IMAGE_DOWNLOAD_FAILED,
        Cause.APP_REGISTRY_UNAVAILABLE,
        Cause.PUBLIC_REGISTRY_UNAVAILABLE,
    }
)
_FILES = frozenset(
    {
        Cause.DATASET_FILE_DOWNLOAD_FAILED,
        Cause.DATASET_FILE_BAD_CHECKSUM,
        Cause.INPUT_FILES_DOWNLOAD_FAILED,
    }
)
_APP = frozenset(
    {
        Cause.APP_COMPUTE_FAILED,
        Cause.APP_COMPUTE_TIMEOUT,
        Cause.APP_OUT_OF_MEMORY,
        Cause.APP_CANNOT_START,
        Cause.APP_DISK_LIMIT_EXCEEDED,
        Cause.APP_NOT_FOUND_LOCALLY,
    }
)
_RESULT = frozenset(
    {
        Cause.RESULT_RULE_BROKEN,
        Cause.POST_COMPUTE_TIMEOUT,
        Cause.POST_COMPUTE_COMPUTED_FILE_NOT_FOUND,
        Cause.POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED,
        Cause.POST_COMPUTE_OUT_FOLDER_ZIP_FAILED,
    }
)

CAUSES: Mapping[Stage, frozenset[Cause]] = {
    Stage.START: _ANY | _REFUSED | {Cause.WORKERPOOL_AUTHORIZATION_NOT_FOUND, Cause.TEE_NOT_SUPPORTED},
    Stage.DOWNLOAD_APP: _ANY | _IMAGE | _FILES | {Cause.APP_IMAGE_NAME_INVALID, Cause.DEAL_PARAMS_INVALID},
    Stage.DOWNLOAD_DATA: _ANY | _FILES | {Cause.PUBLIC_REGISTRY_UNAVAILABLE},
    Stage.COMPUTE: _ANY | _REFUSED | _IMAGE | _APP | _RESULT,
    Stage.CONTRIBUTE: _ANY | _REFUSED | {Cause.DETERMINISM_HASH_NOT_FOUND},
    Stage.REVEAL: _ANY
    | {
        Cause.CONSENSUS_BLOCK_MISSING,
        Cause.DETERMINISM_HASH_NOT_FOUND,
        Cause.BLOCK_NOT_REACHED,
        Cause.CANNOT_REVEAL,
    },
    Stage.UPLOAD: _ANY | {Cause.RESULT_LINK_MISSING},
    Stage.COMPLETE: frozenset(),
}
"""Causes by stage that runs a step. An unexpected one is counted all the same."""
