from workerpool_poco.protocol import deadlines


def test_deadlines_of_the_shortest_category() -> None:
    times = deadlines.task_deadlines(1000, 300)
    assert (times.contribution, times.final) == (1000 + 2100, 1000 + 3000)
    assert deadlines.reveal_deadline(5000, 300) == 5600
    assert deadlines.contribution_deadline(0, 300, ratio=10) == 3000
