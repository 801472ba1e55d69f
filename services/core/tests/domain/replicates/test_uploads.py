"""The choice of the uploader: acceptance scenarios 33 and 34 of core spec §13, and traps of the upload."""

from collections.abc import Callable

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.replicates import uploads
from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.scripted_pool import ScriptedPool

LINK = '{"storage":"ipfs","location":"/results/0x"}'


def test_s33_one_reveal_asks_one_random_revealed_worker_to_upload(
    make_pool: Callable[..., ScriptedPool],
) -> None:
    chosen = set()
    for seed in range(8):
        pool = make_pool(seed=seed)
        task = pool.to_consensus(1, 2, 3, trust=5)
        pool.mine(pool.log("REVEAL", task, 1), pool.log("REVEAL", task, 2))
        chosen.add(pool.task(task).uploader)
        pool.reveal(3, task)
        assert sum(pool.commands(n).count("UPLOAD") for n in (1, 2, 3)) == 1
    assert chosen == {"0xWorker1", "0xWorker2"}


def test_s34_another_revealed_worker_is_asked_when_the_uploader_is_lost(pool: ScriptedPool) -> None:
    task = pool.to_upload(1, 2, 3, trust=5)
    first = pool.uploader(task)
    others = {1, 2, 3} - {first}
    pool.live(61, *others)
    assert pool.uploader(task) in others
    assert pool.statuses(first, task)[-1] == "RESULT_UPLOAD_FAILED"
    pool.effects.clear()
    pool.connect(first, held=(e.HeldReplicate(task, R.REVEALED, True, 0),))
    assert "UPLOAD" not in pool.commands(first)


def test_s34_another_revealed_worker_is_asked_when_the_uploader_is_silent_for_2_minutes(
    pool: ScriptedPool,
) -> None:
    task = pool.to_upload(1, 2, 3, trust=5)
    first = pool.uploader(task)
    pool.live(119, 1, 2, 3)
    assert not pool.sent(d.CheckResult)
    pool.live(2, 1, 2, 3)
    pool.handle(e.ResultChecked(task, False))
    assert pool.uploader(task) != first
    assert pool.statuses(first, task)[-3:] == [
        "RESULT_UPLOAD_REQUESTED",
        "RESULT_UPLOADING",
        "RESULT_UPLOAD_FAILED",
    ]


def test_s34_the_archive_of_a_silent_uploader_counts_as_delivered(pool: ScriptedPool) -> None:
    task = pool.to_upload(1, 2, 3, trust=5)
    first = pool.uploader(task)
    pool.live(121, 1, 2, 3)
    pool.handle(e.ResultChecked(task, True, "/results/x"))
    assert pool.statuses(first, task)[-1] == "RESULT_UPLOADED"
    assert pool.status(task) == "FINALIZING"


def test_s34_an_uploader_that_recovers_is_not_replaced(pool: ScriptedPool) -> None:
    task = pool.to_upload(1, 2, 3, trust=5)
    first = pool.uploader(task)
    pool.report(first, task, R.RESULT_UPLOADING)
    pool.cut(first)
    pool.connect(first, held=(e.HeldReplicate(task, R.RESULT_UPLOADING, True, 0),))
    assert pool.statuses(first, task)[-1] == "RECOVERING"
    assert pool.uploader(task) == first


def test_trap_an_upload_request_that_was_lost_times_out(pool: ScriptedPool) -> None:
    task = pool.to_upload(1)
    pool.live(121, 1)
    pool.handle(e.ResultChecked(task, False))
    assert pool.commands(1) == ["REVEAL", "UPLOAD", "UPLOAD"]
    assert pool.status(task) == "RESULT_UPLOADING"


def test_trap_a_failed_upload_asks_another_worker_at_once(pool: ScriptedPool) -> None:
    task = pool.to_upload(1, 2, trust=3)
    first = pool.uploader(task)
    pool.report(first, task, R.RESULT_UPLOADING, R.RESULT_UPLOAD_FAILED)
    pool.handle(e.ResultChecked(task, False))
    assert pool.uploader(task) != first


def test_the_only_uploader_is_asked_again(pool: ScriptedPool) -> None:
    task = pool.to_upload(1)
    pool.report(1, task, R.RESULT_UPLOADING, R.RESULT_UPLOAD_FAILED)
    pool.handle(e.ResultChecked(task, False))
    assert pool.statuses(1, task)[-1] == "RESULT_UPLOAD_FAILED"
    pool.live(121, 1)
    pool.handle(e.ResultChecked(task, False))
    assert pool.commands(1)[-1] == "UPLOAD"
    pool.report(1, task, R.RESULT_UPLOADED, result_link=LINK)
    pool.handle(e.ResultChecked(task, True))
    assert pool.status(task) == "FINALIZING"


def test_a_disconnected_uploader_gets_the_command_once(pool: ScriptedPool) -> None:
    task = pool.to_upload(1, callback="0xCallback")
    pool.cut(1)
    pool.wait(600)
    assert [c.action.value for c in pool.scheduler.workers["0xWorker1"].commands.values()] == [
        "REVEAL",
        "UPLOAD",
    ]
    assert pool.status(task) == "RESULT_UPLOADING"


@pytest.mark.parametrize(
    ("deal", "to_proxy"),
    [
        ({}, True),
        ({"storage_provider": "ipfs"}, True),
        ({"storage_provider": "dropbox"}, True),
        ({"callback": "0xContract"}, False),
        ({"callback": ZERO_ADDRESS}, True),
    ],
)
def test_every_result_but_that_of_a_callback_goes_to_the_proxy(
    pool: ScriptedPool, deal: dict[str, object], to_proxy: bool
) -> None:
    assert uploads.goes_to_proxy(pool.task(pool.ready(**deal))) is to_proxy
