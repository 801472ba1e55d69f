"""The size of searches for logs follows the refusals of the node."""

from workerpool_core.app.chain.log_range import LogRange


def search(span: LogRange, limit: int, times: int) -> int:
    """Search as often as asked at a node with a limit; return how many searches it refused."""
    refused = 0
    for _ in range(times):
        if span.blocks > limit:
            span.refused(span.blocks)
            refused += 1
        else:
            span.answered()
    return refused


def test_a_refusal_halves_what_was_asked_for() -> None:
    span = LogRange(1_000)
    span.refused(24)
    assert span.blocks == 12


def test_one_block_is_the_least() -> None:
    span = LogRange(1)
    span.refused(1)
    assert span.blocks == 1


def test_a_limit_is_learned_with_few_refusals() -> None:
    span = LogRange(1_000)
    assert search(span, 10, 900) <= 10
    assert 5 <= span.blocks <= 10


def test_the_size_grows_again_after_a_busy_moment() -> None:
    span = LogRange(1_000)
    search(span, 10, 100)
    search(span, 1_000, 5_000)
    assert span.blocks == 1_000
