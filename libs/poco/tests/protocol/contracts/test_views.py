import pytest
from workerpool_poco.protocol.contracts import abi, views
from workerpool_poco.protocol.encoding.abi_codec import encode
from workerpool_poco.protocol.ids import DealId, TaskId, address
from workerpool_poco.protocol.model import Contribution, Resource
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus

A, B, C = (address(bytes([number]) * 20) for number in (1, 2, 3))
DEAL, TASK = DealId("0x" + "dd" * 32), TaskId("0x" + "77" * 32)
WORD = b"\x05" * 32


def answer(view: str, *values: object) -> tuple[object, ...]:
    """Return the struct that a view of the hub returns, encoded and decoded again."""
    function = abi.HUB[view]
    (struct,) = function.decode(encode(function.outputs, [values]))
    assert isinstance(struct, tuple)
    return struct


def test_a_deal() -> None:
    resources = ((A, B, 1), (B, C, 2), (C, A, 3))
    rest = (5, 4, WORD, A, B, C, "params", 100, 7, 2, 50, 10, A)
    found = views.deal(DEAL, answer("viewDeal", *resources, *rest))
    assert (found.deal_id, found.app, found.dataset, found.workerpool) == (
        DEAL,
        Resource(A, B, 1),
        Resource(B, C, 2),
        Resource(C, A, 3),
    )
    assert (found.trust, found.category, found.tag, found.params) == (5, 4, WORD, "params")
    assert (found.requester, found.beneficiary, found.callback, found.sponsor) == (A, B, C, A)
    assert (list(found.task_indexes), found.worker_stake, found.scheduler_reward_ratio) == ([7, 8], 50, 10)
    assert found.exists


def test_a_task() -> None:
    values: tuple[object, ...] = (
        2,
        bytes.fromhex(DEAL[2:]),
        7,
        60,
        420,
        120,
        600,
        WORD,
        1,
        2,
        [A, B],
        WORD,
        b"link",
        99,
        b"",
    )
    found = views.task(TASK, answer("viewTask", *values))
    assert (found.task_id, found.deal_id, found.index) == (TASK, DEAL, 7)
    assert found.status is ChainTaskStatus.REVEALING
    assert (found.contribution_deadline, found.reveal_deadline, found.final_deadline) == (420, 120, 600)
    assert (found.reveal_counter, found.winner_counter, found.contributors) == (1, 2, (A, B))
    assert (found.consensus_value, found.result_digest, found.results) == (WORD, WORD, b"link")


def test_an_unknown_status_is_refused() -> None:
    values: tuple[object, ...] = (9, WORD, 0, 0, 0, 0, 0, WORD, 0, 0, [], WORD, b"", 0, b"")
    with pytest.raises(ValueError, match="9"):
        views.task(TASK, answer("viewTask", *values))


def test_a_contribution() -> None:
    found = views.contribution(answer("viewContribution", 2, WORD, WORD, A, 3))
    assert found == Contribution(ContributionStatus.PROVED, WORD, WORD, A, 3)


def test_resources_name_their_owner_and_location() -> None:
    app = views.app(A, answer("viewApp", B, "name", "DOCKER", b"image:1", WORD, b"enclave"))
    assert (app.address, app.owner, app.name, app.multiaddr) == (A, B, "name", "image:1")
    dataset = views.dataset(A, answer("viewDataset", B, "data", b"https://example.org", WORD))
    assert (dataset.owner, dataset.multiaddr, dataset.checksum) == (B, "https://example.org", WORD)
    pool = views.workerpool(A, answer("viewWorkerpool", B, "pool", 30, 1))
    assert (pool.owner, pool.description, pool.worker_stake_ratio, pool.scheduler_reward_ratio) == (
        B,
        "pool",
        30,
        1,
    )
