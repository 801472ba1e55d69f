"""COMPUTE: run the app, once, however often the worker dies meanwhile; then make its result."""

import asyncio
import time
from contextlib import suppress

from workerpool_poco.protocol.statuses import ReplicateStatusCause

from workerpool_worker.adapters.files.post_compute import make_result
from workerpool_worker.adapters.files.workspace import TaskFolder
from workerpool_worker.app.ports import AppCannotStart, ContainerPlan, Ended
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.prechecks import check_may_contribute
from workerpool_worker.domain.command_line import split
from workerpool_worker.domain.environment import IEXEC_IN, IEXEC_OUT, app_environment
from workerpool_worker.domain.images import local_name
from workerpool_worker.domain.updates import ERROR_MESSAGE_CHARACTERS, LOG_TAIL_CHARACTERS, Details, tail
from workerpool_worker.errors import DockerUnavailable, ImageUnavailable, StepFailed

_BYTES_PER_CHARACTER = 4
_NEVER_RAN = -1
_KILLED = frozenset({137, 143, 255})
"""Exit codes of apps that are killed with their engine or host: SIGKILL, SIGTERM, and an engine's word for unknown."""


async def compute(run: Replicate) -> None:
    """Run the app in its slot and report COMPUTED, whatever the app did: its failures show in its result."""
    office = run.office
    async with office.slots:
        ended = await _run_app(run)
    began = time.monotonic()
    succeeded = ended.exit_code == 0 and not ended.timed_out
    result = await run.in_thread(
        make_result, run.folder, callback=run.task.has_callback, app_succeeded=succeeded
    )
    post_s = time.monotonic() - began
    office.durations.add(ended.run_time_s, post_s)
    run.log.info(
        "app.ended",
        exit_code=ended.exit_code,
        run_time_s=round(ended.run_time_s, 3),
        post_compute_s=round(post_s, 3),
        timed_out=ended.timed_out,
        result_digest=result.digest,
        cause=result.cause and result.cause.value,
    )
    stdout, stderr = await run.in_thread(_tails, run.folder)
    if office.policy.show_app_output:
        run.log.info("app.output", stdout=tail(stdout, 2000), stderr=tail(stderr, 2000))
    if ended.error:
        stderr = tail(f"{stderr}{ended.error}\n")
    saved = run.done(
        Details(
            exit_code=ended.exit_code,
            stdout=stdout,
            stderr=stderr,
            error_message=_explain(run, ended, result.message)[:ERROR_MESSAGE_CHARACTERS],
        ),
        result=result,
    )
    run.in_background(_discard_container(run, saved))


async def _discard_container(run: Replicate, saved: asyncio.Future[None]) -> None:
    """Remove the container once its result is safe; what fails here is made up for when the replicate ends."""
    await saved
    with suppress(DockerUnavailable):
        await run.office.engine.remove(run.task.task_id)


async def _run_app(run: Replicate) -> Ended:
    """Run the app to its end, or attach to it if it runs or has ended already."""
    container = await run.office.engine.find(run.task.task_id) if run.may_have_container else None
    if container is not None:
        run.log.info("app.attached_again", container=container[:12])
    ended = await _run(run, container)
    if container is not None and ended.exit_code in _KILLED and not ended.timed_out:
        # While nobody watched, and most likely not by itself.
        run.log.warning("app.run_again", exit_code=ended.exit_code)
        ended = await _run(run, None)
    return ended


async def _run(run: Replicate, container: str | None) -> Ended:
    engine = run.office.engine
    new = container is None
    if container is None:
        await check_may_contribute(run)
        await run.in_thread(run.folder.prepare_output)
        run.may_have_container = True
        try:
            container = await engine.create(_plan(run, local_name(run.task.app_uri)))
        except ImageUnavailable as gone:
            raise StepFailed(ReplicateStatusCause.APP_NOT_FOUND_LOCALLY, str(gone)) from gone
        except AppCannotStart as refusal:
            return Ended(_NEVER_RAN, 0.0, error=str(refusal))
    try:
        async with run.office.live_output.shown(
            run.task.task_id, lambda sink: engine.follow_output(container, sink, from_now=not new)
        ):
            ended = await engine.run(container, run.task.max_execution_s, new=new)
    except AppCannotStart as refusal:
        return Ended(_NEVER_RAN, 0.0, error=str(refusal))
    await engine.copy_logs(container, run.folder.stdout, run.folder.stderr)
    return ended


def _plan(run: Replicate, image: str) -> ContainerPlan:
    policy = run.office.policy
    return ContainerPlan(
        task_id=run.task.task_id,
        name=f"{policy.name}-{run.task.task_id}",
        image=image,
        command=split(run.task.command_line),
        environment=app_environment(run.task),
        binds={run.folder.input: (IEXEC_IN, True), run.folder.iexec_out: (IEXEC_OUT, False)},
        limits=policy.limits,
    )


def _explain(run: Replicate, ended: Ended, result_message: str) -> str:
    if ended.timed_out:
        cause = ReplicateStatusCause.APP_COMPUTE_TIMEOUT
        return f"{cause.value}: the app was stopped after {run.task.max_execution_s:g} s"
    if ended.error:
        return f"{ReplicateStatusCause.APP_COMPUTE_FAILED.value}: the app could not be started: {ended.error}"
    if ended.exit_code != 0:
        return (
            f"{ReplicateStatusCause.APP_COMPUTE_FAILED.value}: the app ended with exit code {ended.exit_code}"
        )
    return result_message


def _tails(folder: TaskFolder) -> tuple[str, str]:
    """Read the ends of the two streams, without reading more than needed."""
    texts = []
    for path in (folder.stdout, folder.stderr):
        if not path.exists():
            texts.append("")
            continue
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - LOG_TAIL_CHARACTERS * _BYTES_PER_CHARACTER, 0))
            texts.append(tail(file.read().decode("utf-8", errors="replace")))
    return texts[0], texts[1]
