"""The catalogue is complete, and the generator repeats itself for the same seed."""

import json
from collections import Counter

from workerpool_devnet.market.deployment import CATEGORIES
from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import TaskStatus

from hostile.catalogue.all import HONEST, HOSTILE, entries
from hostile.catalogue.entry import Entry, Ground
from hostile.generator import Generator

GROUND = Ground(
    image="image:1",
    files="http://127.0.0.1:1",
    traps="http://127.0.0.1:2",
    closed_port=3,
    pool_ports=(4, 5),
    callback="0x" + "11" * 20,
)
CASES = (
    "archive-deep-path",
    "archive-link-inside",
    "archive-path-is-link",
    "archive-name-32",
    "computed-deep",
    "computed-huge",
    "computed-odd",
    "app-exit-3",
    "app-time-limit",
    "app-memory",
    "app-shm",
    "app-fills-disk",
    "post-compute-long",
    "app-reaches-pool",
    "data-url-forms",
    "data-private",
    "data-no-checksum",
    "data-drip",
    "deal-proxy-url",
    "deal-dry-bag",
    "app-exit-3-with-result",
    "callback-failure",
    "encryption-standard",
    "archive-link-out",
)
"""Every case that is a deal."""


def drawn(seed: int, count: int) -> list[str]:
    generator = Generator(seed)
    return [generator.hostile()[0].name for _ in range(count)]


def test_every_case_that_is_a_deal_is_in_the_catalogue() -> None:
    names = [entry.name for entry in entries()]
    assert [case for case in CASES if not any(name.startswith(case) for name in names)] == []


def test_names_are_unique() -> None:
    assert [name for name, count in Counter(entry.name for entry in entries()).items() if count > 1] == []


def test_every_outcome_names_known_statuses_and_causes() -> None:
    known = {str(cause) for cause in ReplicateStatusCause}
    for entry in entries():
        assert entry.right.causes <= known, entry.name
        assert entry.right.statuses <= {status.name for status in TaskStatus}, entry.name
        assert entry.category in CATEGORIES, entry.name


def test_every_deal_has_params() -> None:
    for entry in entries():
        params = entry.deal_params(GROUND)
        assert isinstance(params, str) or json.loads(params.encode()) is not None


def test_a_deal_that_no_worker_can_serve_is_free() -> None:
    for entry in entries():
        assert not (entry.right.waits and entry.price), entry.name


def test_an_honest_deal_has_a_known_result_and_a_price() -> None:
    for entry in HONEST:
        assert entry.honest
        assert entry.price
        assert entry.right.consensus is not None
        assert len(entry.right.consensus()) == 32


def test_the_same_seed_draws_the_same_deals() -> None:
    assert drawn(7, 100) == drawn(7, 100) != drawn(8, 100)


def test_every_hostile_entry_is_drawn_before_any_is_drawn_twice() -> None:
    everything = [entry for kind in HOSTILE.values() for entry in kind]
    first = drawn(1, len(everything) + 1)
    assert len(set(first)) == len(first)


def test_the_generator_draws_only_the_selected_entries() -> None:
    generator = Generator(1, only=("computed-", "archive-"))
    names = [entry.name for entry, _ in (generator.hostile() for _ in range(60))]
    assert all(name.startswith(("computed-", "archive-")) for name in names)


def test_entries_with_a_script_have_names_that_survive_as_arguments() -> None:
    def plain(entry: Entry) -> bool:
        return all(char.isalnum() or char == "-" for char in entry.name)

    assert [entry.name for entry in entries() if entry.script and not plain(entry)] == []
