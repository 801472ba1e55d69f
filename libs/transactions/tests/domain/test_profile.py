"""The three shapes of chain."""

import pytest
from workerpool_transactions.domain.profile import ChainProfile, Shape


@pytest.mark.parametrize(
    ("shape", "has_mempool", "is_free"),
    [(Shape.MEMPOOL, True, False), (Shape.SEQUENCER, False, False), (Shape.FREE, True, True)],
)
def test_a_shape(shape: Shape, has_mempool: bool, is_free: bool) -> None:
    profile = ChainProfile(shape)
    assert (profile.has_mempool, profile.is_free) == (has_mempool, is_free)
    assert profile.send_limit_s >= 15, "a sequencer answers late under load"
