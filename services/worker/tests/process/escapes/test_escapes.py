"""The escape matrix: each attempt of an app is contained while another task is served, and the host is clean after it.

The attempts are real; what is small are the limits of a slot, so that they end soon. The heavy ones run in
`make test-full`.
"""

import asyncio
import time
import zipfile

import pytest
from workerpool_poco.protocol.statuses import ContributionStatus
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from services.worker.tests.doubles.core_peer import cause_of
from services.worker.tests.harness.host_state import at_rest, left_of, used_since
from services.worker.tests.process.escapes.ground import ENGINE_SOCKET, EscapeHost
from services.worker.tests.process.escapes.matrix import ESCAPED, ESCAPES, REFUSED, Escape

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

ERROR_RESULT = {"computed.json", "error.json", "error.txt", "stdout.txt", "stderr.txt"}


def matrix() -> list[object]:
    return [
        pytest.param(each, id=each.name, marks=[pytest.mark.full] if each.is_heavy else [])
        for each in ESCAPES
    ]


@pytest.mark.parametrize("escape", matrix())
async def test_an_escape_is_contained_and_others_are_served(host: EscapeHost, escape: Escape) -> None:
    pool, core, began = host.pool, host.pool.core, time.time()
    if escape.name == "metadata address" and not host.targets.metadata:
        pytest.skip("NO DECOYS: the metadata address was not shown to be closed")
    hostile, honest = await pool.bag(2)
    hostile.task.app_uri = host.images.root if escape.is_root else host.images.unprivileged
    hostile.task.command_line = escape.command_line(host.targets)
    hostile.task.max_execution_time.seconds = escape.limit_s

    core.assign(hostile)
    await core.status(hostile.task.task_id, "COMPUTING")
    core.assign(honest)
    await core.status(honest.task.task_id, "CONTRIBUTED")
    assert (await pool.contribution(honest.task.task_id)).status is ContributionStatus.CONTRIBUTED
    if escape.is_aborted:
        assert core.statuses(hostile.task.task_id)[-1] == "COMPUTING"
    else:
        judge(host, escape, await core.status(hostile.task.task_id, "COMPUTED"))

    tasks = [each.task.task_id for each in (hostile, honest)]
    for task_id in tasks:
        core.command(task_id, pb.ACTION_ABORT)
    for task_id in tasks:
        await core.status(task_id, "ABORTED")
    wallets, folder = [pool.worker.address], host.worker.folder
    used = await asyncio.to_thread(used_since, host.client, wallets, began)
    assert len(used.containers) >= len(tasks)
    assert len(used.volumes) >= len(tasks)
    assert await at_rest(lambda: left_of(host.client, used, wallets, folder)) == []
    assert [each.name for each in host.targets.file.parent.iterdir()] == ["file"]
    assert host.targets.file.read_text() == "kept"
    await core.heartbeat(free_slots=2)


def judge(host: EscapeHost, escape: Escape, computed: pb.StatusUpdate) -> None:
    """Check the end of an app: a right cause and nothing of its output, or the refusal of each attempt."""
    details = computed.details
    if escape.attempts:
        assert (cause_of(computed), details.exit_code) == ("UNSPECIFIED", 0), details
        lines = details.stdout.splitlines()
        assert lines, details.stderr
        assert [line for line in lines if not line.startswith(REFUSED)] == []
        return
    assert cause_of(computed) in escape.causes, details.error_message
    archive = host.worker.folder / computed.task_id / "output" / "iexec_out.zip"
    with zipfile.ZipFile(archive) as held:
        assert set(held.namelist()) <= ERROR_RESULT


async def test_every_attempt_succeeds_where_nothing_contains_it(host: EscapeHost) -> None:
    """The matrix can fail: its attempts find what they look for from a container without any isolation."""
    output = await asyncio.to_thread(_uncontained, host)
    assert output
    assert [line for line in output if not line.startswith(ESCAPED)] == []


def _uncontained(host: EscapeHost) -> list[str]:
    api, told = host.client.api, list[str]()
    for image, is_root in ((host.images.root, True), (host.images.unprivileged, False)):
        attempts = [each for each in ESCAPES if each.attempts and each.is_root is is_root]
        commands = "; ".join(each.command_line(host.targets) for each in attempts)
        config = api.create_host_config(
            # The attempts of the other user need no more than that a program may gain rights.
            cap_add=["SYS_ADMIN", "SYS_PTRACE"] if is_root else None,
            security_opt=["seccomp=unconfined", "apparmor=unconfined"],
            network_mode="host",
            pid_mode="host",
            tmpfs={"/iexec_out": "mode=1777"},
            binds={ENGINE_SOCKET: {"bind": ENGINE_SOCKET}},
        )
        config |= {"MaskedPaths": [], "ReadonlyPaths": []}
        container = api.create_container(image, ["/bin/sh", "-c", commands], host_config=config)["Id"]
        try:
            api.start(container)
            api.wait(container)
            told += api.logs(container, stderr=False).decode().splitlines()
        finally:
            api.remove_container(container, force=True, v=True)
    return told
