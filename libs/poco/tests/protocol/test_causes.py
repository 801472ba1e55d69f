"""Whose fault each cause of a failure is."""

import pytest
from workerpool_poco.protocol.causes import SIDES, Side
from workerpool_poco.protocol.causes import ReplicateStatusCause as C


def test_each_cause_has_a_side() -> None:
    assert set(SIDES) == set(C)


@pytest.mark.parametrize(
    ("cause", "side"),
    [
        (C.APP_COMPUTE_FAILED, Side.APP),
        (C.APP_REGISTRY_UNAVAILABLE, Side.APP),
        (C.DATASET_FILE_BAD_CHECKSUM, Side.REQUESTER),
        (C.PRE_COMPUTE_DATASET_URL_MISSING, Side.REQUESTER),
        (C.TEE_SESSION_GENERATION_APP_COMPUTE_NO_ENCLAVE_CONFIG, Side.REQUESTER),
        (C.HOST_FAILED, Side.WORKER),
        (C.STAKE_TOO_LOW, Side.WORKER),
        (C.UNKNOWN, Side.POOL),
        (C.PUBLIC_REGISTRY_UNAVAILABLE, Side.POOL),
        (C.PRE_COMPUTE_IMAGE_MISSING, Side.POOL),
        (C.TEE_SESSION_GENERATION_UNKNOWN_ISSUE, Side.POOL),
        (C.CHAIN_UNREACHABLE, Side.CHAIN),
        (C.TEE_SESSION_GENERATION_EXECUTION_NOT_AUTHORIZED_GET_CHAIN_DEAL_FAILED, Side.CHAIN),
    ],
)
def test_a_cause_is_blamed_on_the_side_that_can_correct_it(cause: C, side: Side) -> None:
    assert SIDES[cause] is side
