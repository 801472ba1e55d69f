import pytest
from workerpool_poco.protocol.model import reorganisation_blocks


@pytest.mark.parametrize(("block_time_s", "blocks"), [(12, 64), (5, 64), (1, 300), (0.25, 1200)])
def test_the_depth_of_reorganisations_is_a_time_and_at_least_64_blocks(
    block_time_s: float, blocks: int
) -> None:
    assert reorganisation_blocks(block_time_s) == blocks
