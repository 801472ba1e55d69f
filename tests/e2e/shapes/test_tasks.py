"""Standard tasks on each shape of chain, and tasks while a process is killed."""

import io

import pytest
from rich.console import Console
from sequencer.pool import ShapedPool
from workerpool_devnet.demo.run import compute
from workerpool_devnet.devnet import Devnet

from e2e.requester import Requester
from e2e.test_kill import COMPUTING, CONTRIBUTING, EARLY, LATE, MIDDLE, complete_tasks_despite_a_kill

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

KILLS = [
    ("chain_adapter", EARLY),
    ("chain_adapter", LATE),
    ("core", MIDDLE),
    ("worker-1", COMPUTING),
    ("worker-1", CONTRIBUTING),
]
QUICK = ("chain_adapter", EARLY)
"""`make test-full` runs the others."""


async def test_every_task_of_the_demo_completes_with_the_digest_on_chain(
    shaped: ShapedPool, image: str
) -> None:
    outcomes = await compute(shaped.net, image, Console(file=io.StringIO()), lambda line: None)

    for outcome in outcomes:
        assert outcome.succeeded, outcome
    assert [outcome.record.counts() for outcome in outcomes] == [
        *["1 initialize, 1 contribute, 1 reveal, 1 finalize"] * 3,
        "1 initialize, 3 contribute, 3 reveal, 1 finalize",
    ]


@pytest.mark.parametrize(
    ("victim", "moment"),
    [pytest.param(*case, marks=[] if case == QUICK else pytest.mark.full) for case in KILLS],
)
async def test_every_task_completes_when_a_process_is_killed(
    net: Devnet, requester: Requester, victim: str, moment: str
) -> None:
    await complete_tasks_despite_a_kill(net, requester, victim, moment)
