from workerpool_poco.protocol import deadlines


def test_deadlines_of_the_shortest_category() -> None:
    times = deadlines.task_deadlines(1000, 300)
    assert (times.contribution, times.final) == (1000 + 2100, 1000 + 3000)
    assert deadlines.reveal_deadline(5000, 300) == 5600
    assert deadlines.contribution_deadline(0, 300, ratio=10) == 3000


def test_the_chain_s_time_passes_without_blocks_and_never_goes_back() -> None:
    margin = deadlines.CLOCK_MARGIN_S
    assert deadlines.chain_time(1_000, 5_000.9) == 5_000 - margin
    assert deadlines.chain_time(5_000, 5_000 + margin) == 5_000
    assert deadlines.chain_time(9_000, 5_000.0) == 9_000, "the clock of this machine is behind"
