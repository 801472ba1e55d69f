import pytest
from workerpool_devnet.errors import OptionsError
from workerpool_devnet.options import DevnetOptions, workers_needed


@pytest.mark.parametrize(
    ("trust", "workers"), [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4)]
)
def test_workers_needed_agrees_with_the_contract(trust: int, workers: int) -> None:
    assert workers_needed(trust) == workers


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"workers": -1}, "number of workers"),
        ({"block_time": 21}, "block time"),
        ({"cpus_per_worker": 0}, "1 CPU or more"),
        ({"ports": 0}, "first HTTP port"),
        ({"ports": 55_530, "workers": 3}, "first HTTP port"),
        ({"workers": 2, "trust": 5}, "trust 5 needs 3 workers"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, int], complaint: str) -> None:
    with pytest.raises(OptionsError, match=complaint):
        DevnetOptions(**options)  # type: ignore[arg-type]
