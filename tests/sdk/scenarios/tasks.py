"""Tasks on the pool of the devnet: run, watched, debugged, downloaded; and tasks that expire, claimed."""

from __future__ import annotations

import asyncio
import json
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workerpool_poco.protocol.ids import parse_deal_id, task_id_of

from sdk.command_line import CommandFailed
from sdk.project import Project
from sdk.scenarios.orders import offered
from sdk.scenarios.resources import content_of

COPY = (
    "/bin/sh -c 'busybox cat $IEXEC_IN/$IEXEC_INPUT_FILE_NAME_1 $IEXEC_IN/$IEXEC_INPUT_FILE_NAME_2"
    " $IEXEC_IN/$IEXEC_DATASET_FILENAME > $IEXEC_OUT/copy; echo copied; echo warned >&2; "
    'echo "{\\"deterministic-output-path\\": \\"/iexec_out/copy\\"}" > $IEXEC_OUT/computed.json\''
)
"""Arguments of an app that copies two input files and its dataset into its result."""
SLOW = (
    "/bin/sh -c 'echo begun; sleep {seconds:.0f}; echo ended; echo x > $IEXEC_OUT/r; "
    'echo "{{\\"deterministic-output-path\\": \\"/iexec_out/r\\"}}" > $IEXEC_OUT/computed.json\''
)
_WATCH_SECONDS = 300.0


async def runs_and_downloads(project: Project) -> str:
    """Run the app with input files and a dataset on an order of the publisher; check the result; return the task."""
    around, iexec = project.around, project.iexec
    inputs = (around.documents[0], around.documents[2])
    await offered(project)
    ran = await iexec.run(
        *("app", "run", project.app, "--workerpool", around.workerpool, "--dataset", project.dataset),
        *("--input-files", ",".join(inputs), "--args", COPY, "--category", "0", "--watch", "--force"),
        seconds=_WATCH_SECONDS,
    )
    (deal,) = ran["deals"]
    (task,) = ran["tasks"]
    assert task["statusName"] == "COMPLETED"
    shown = await iexec.run("deal", "show", deal["dealid"])
    assert shown["deal"]["app"]["pointer"] == project.app
    assert shown["deal"]["dataset"]["pointer"] == project.dataset
    assert shown["deal"]["tasks"] == [task["taskid"]]

    files = await download(project, task["taskid"])
    expected = b"".join([content_of(url) for url in (*inputs, around.documents[1])])
    assert files["copy"] == expected
    assert json.loads(files["computed.json"]) == {"deterministic-output-path": "/iexec_out/copy"}
    return str(task["taskid"])


async def download(project: Project, task: str, *options: str) -> dict[str, bytes]:
    """Download the result of a completed task; return its files."""
    shown = await project.iexec.run("task", "show", task, "--download", *options)
    assert shown["task"]["statusName"] == "COMPLETED"
    assert shown["task"]["results"]["storage"] == "ipfs"
    path = Path(shown["resultPath"])
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


async def debugs_after_the_end(project: Project, task: str) -> None:
    """Show what the pool knows of a completed task, and the output of its app."""
    shown = await project.iexec.run("task", "debug", task, "--logs")
    assert shown["onchainData"]["statusName"] == "COMPLETED"
    found = _offchain(shown)
    assert found["task"]["status"] == "COMPLETED"
    history = [entry["status"] for entry in found["task"]["statusHistory"]]
    assert history[0] == "RECEIVED"
    assert history[-1] == "COMPLETED"
    replicate = _completed(shown)
    assert replicate["exitCode"] == 0
    written = {logs["worker"]: (logs["stdout"], logs["stderr"]) for logs in shown["appLogs"]}
    assert written[replicate["worker"]] == ("copied\n", "warned\n")


def _offchain(debugged: dict[str, Any]) -> dict[str, Any]:
    """Return what `task debug` read from core, in the form of 8.x and 9.x; 7.2.5 prints core's document itself."""
    found = debugged["offchainData"]
    assert isinstance(found, dict)
    if "task" in found:
        return found
    return {
        "task": {"status": found["currentStatus"], "statusHistory": found["dateStatusList"]},
        "replicates": [
            {
                "worker": each["walletAddress"],
                "exitCode": each.get("appExitCode"),
                "status": each["currentStatus"],
                "statusHistory": each["statusUpdateList"],
            }
            for each in found["replicates"]
        ],
    }


def _completed(debugged: dict[str, Any]) -> dict[str, Any]:
    """Return the replicate whose result was taken; a slow host adds others, which are aborted."""
    (found,) = [each for each in _offchain(debugged)["replicates"] if each["status"] == "COMPLETED"]
    assert isinstance(found, dict)
    return found


async def reads_logs_while_the_app_runs(project: Project) -> None:
    """Start a slow app without watching it; its first output must be readable before its end, all of it after."""
    iexec, around = project.iexec, project.around
    await offered(project)
    # The app must outlast some commands, which take long on a busy host.
    seconds = min(12 + 4 * iexec.outcomes[-1].seconds, 240)
    ran = await iexec.run(
        *("app", "run", project.app, "--workerpool", around.workerpool),
        *("--args", SLOW.format(seconds=seconds), "--category", "0", "--force"),
    )
    task = first_task(ran["deals"][0]["dealid"])
    during = await _debugged(project, task, lambda shown: bool(shown.get("appLogs")))
    (logs,) = during["appLogs"]
    assert logs["stdout"] == "begun\n"
    states = {each["worker"]: each["status"] for each in _offchain(during)["replicates"]}
    assert states[logs["worker"]] == "COMPUTING"

    watched = await iexec.run("task", "show", task, "--watch", seconds=_WATCH_SECONDS)
    assert watched["task"]["statusName"] == "COMPLETED"
    after = await iexec.run("task", "debug", task, "--logs")
    written = {each["worker"]: each["stdout"] for each in after["appLogs"]}
    assert written[_completed(after)["worker"]] == "begun\nended\n"


def first_task(deal: str) -> str:
    """Return the id of the first task of a deal."""
    return str(task_id_of(parse_deal_id(deal), 0))


async def _debugged(
    project: Project, task: str, condition: Any, seconds: float = _WATCH_SECONDS
) -> dict[str, Any]:
    """Repeat `task debug --logs` until an answer fulfils the condition."""
    deadline = time.monotonic() + seconds
    while True:
        outcome = await project.iexec.attempt("task", "debug", task, "--logs")
        # The task is unknown on chain until the pool has initialized it.
        if outcome.code == 0 and condition(outcome.answer):
            return outcome.answer
        if time.monotonic() > deadline:
            raise CommandFailed(f"not within {seconds:.0f} s: {outcome}")


async def learns_why_the_app_failed(project: Project, deal: str) -> None:
    """Watch the deal that `order fill` made, until its end; result and `task debug` say why its app failed."""
    watched = await project.iexec.run("deal", "show", deal, "--watch", seconds=_WATCH_SECONDS)
    assert (watched["completedTasksCount"], watched["failedTasksCount"]) == (1, 0)
    (task,) = watched["tasks"]
    files = await download(project, task["taskid"], "failed")
    assert (project.folder / "failed.zip").exists()
    assert files["stdout.txt"] == b"said\n"
    assert b"exit code: 3" in files["error.txt"]

    shown = await project.iexec.run("task", "debug", task["taskid"])
    replicate = _completed(shown)
    assert replicate["exitCode"] == 3
    told = [entry for entry in replicate["statusHistory"] if "exit code 3" in entry.get("message", "")]
    assert told, f"no entry says how the app ended: {replicate}"
    assert {entry["fault"] for entry in told} == {"app"}
    assert all(entry["next"] for entry in told)


@dataclass(frozen=True)
class ExpiringDeals:
    """Deals of a category of 2 s on the user's own pool, which computes nothing."""

    with_task: str
    """Its task is initialized, so that it can be claimed by its id."""
    without_task: str


async def buys_what_expires(project: Project) -> ExpiringDeals:
    """Match two deals with a workerpool that no scheduler serves, and initialize the task of the first."""
    iexec, around = project.iexec, project.around
    category = around.category("DEV-2S")
    deals = []
    for text in ("first", "second"):
        ran = await iexec.run(
            *("app", "run", project.app, "--workerpool", project.workerpool, "--args", text, *project.tag),
            *("--category", category, "--force", project.release.skip_check),
        )
        deals.append(str(ran["deals"][0]["dealid"]))
    await asyncio.to_thread(around.initialize, project.wallet, deals[0])
    return ExpiringDeals(*deals)


async def claims(project: Project, deals: ExpiringDeals) -> None:
    """After the final deadline, claim a task by its id and a deal whose task was never initialized."""
    iexec = project.iexec
    before = await iexec.run("account", "show", project.user)
    task = first_task(deals.with_task)
    deadline = time.monotonic() + 40
    while not (shown := await iexec.run("task", "show", task))["claimable"]:
        assert time.monotonic() < deadline, f"the task does not expire: {shown}"
    assert shown["task"]["statusName"] == "TIMEOUT"
    claimed = await iexec.run("task", "claim", task)
    assert claimed["txHash"]
    assert (await iexec.run("task", "show", task))["task"]["statusName"] == "FAILED"
    refused = await iexec.refused("task", "claim", task)
    assert "FAILED" in refused

    claimed = await iexec.run("deal", "claim", deals.without_task)
    assert list(claimed["claimed"]) == ["0"]
    after = await iexec.run("account", "show", project.user)
    assert (before["balance"]["locked"], after["balance"]["locked"]) == ("0", "0")
