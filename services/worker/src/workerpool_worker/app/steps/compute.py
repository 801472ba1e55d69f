"""COMPUTE: run the app once, across restarts of the worker, and build its result."""

import asyncio
import time
from contextlib import suppress

from workerpool_poco.protocol.statuses import ReplicateStatusCause

from workerpool_worker.app.ports import AppExit, ContainerPlan
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.prechecks import check_may_contribute
from workerpool_worker.domain.command_line import split
from workerpool_worker.domain.environment import IEXEC_IN, IEXEC_OUT, app_environment
from workerpool_worker.domain.images import local_name
from workerpool_worker.domain.updates import ERROR_MESSAGE_CHARACTERS, Details, tail
from workerpool_worker.errors import AppCannotStart, DockerUnavailable, ImageUnavailable, StepFailed

_NEVER_RAN = -1
_KILLED = frozenset({137, 143, 255})
"""Exit codes of apps that ended with their engine or host: SIGKILL, SIGTERM, and the engine's code for unknown."""
_LOGGED_CHARACTERS = 2_000


async def compute(replicate: Replicate) -> None:
    """Run the app in a slot and report COMPUTED. A failure of the app becomes the cause of its result."""
    context = replicate.context
    async with context.slots:
        ended = await _run_app(replicate)
    began = time.monotonic()
    succeeded = ended.exit_code == 0 and not ended.timed_out
    result = await replicate.run_blocking(
        replicate.folder.make_result, callback=replicate.task.has_callback, app_succeeded=succeeded
    )
    post_compute_s = time.monotonic() - began
    context.timings.record(ended.run_time_s, post_compute_s)
    replicate.log.info(
        "app.ended",
        exit_code=ended.exit_code,
        run_time_s=round(ended.run_time_s, 3),
        post_compute_s=round(post_compute_s, 3),
        timed_out=ended.timed_out,
        result_digest=result.digest,
        cause=result.cause and result.cause.value,
    )
    stdout, stderr = await replicate.run_blocking(replicate.folder.read_output_tails)
    if context.policy.log_app_output:
        replicate.log.info(
            "app.output_logged",
            stdout=tail(stdout, _LOGGED_CHARACTERS),
            stderr=tail(stderr, _LOGGED_CHARACTERS),
        )
    if ended.error:
        stderr = tail(f"{stderr}{ended.error}\n")
    saved = replicate.complete_step(
        Details(
            exit_code=ended.exit_code,
            stdout=stdout,
            stderr=stderr,
            error_message=_explain(replicate, ended, result.message)[:ERROR_MESSAGE_CHARACTERS],
        ),
        result=result,
    )
    replicate.run_in_background(_discard_container(replicate, saved))


async def _discard_container(replicate: Replicate, saved: asyncio.Future[None]) -> None:
    """Remove the container once its result is durable. The end of the replicate removes what this misses."""
    await saved
    with suppress(DockerUnavailable):
        await replicate.context.engine.remove(replicate.task.task_id)


async def _run_app(replicate: Replicate) -> AppExit:
    """Run the app to its end, or attach to the container of an earlier attempt."""
    container = (
        await replicate.context.engine.find(replicate.task.task_id) if replicate.may_have_container else None
    )
    if container is not None:
        replicate.log.info("app.reattached", container=container[:12])
    ended = await _run_container(replicate, container)
    if container is not None and ended.exit_code in _KILLED and not ended.timed_out:
        # The app most likely ended with its host or engine while no worker observed it.
        replicate.log.warning("app.rerun", exit_code=ended.exit_code)
        ended = await _run_container(replicate, None)
    return ended


async def _run_container(replicate: Replicate, container: str | None) -> AppExit:
    engine = replicate.context.engine
    new = container is None
    if container is None:
        await check_may_contribute(replicate)
        await replicate.run_blocking(replicate.folder.prepare_output)
        replicate.may_have_container = True
        try:
            container = await engine.create(_plan(replicate, local_name(replicate.task.app_uri)))
        except ImageUnavailable as missing:
            raise StepFailed(ReplicateStatusCause.APP_NOT_FOUND_LOCALLY, str(missing)) from missing
        except AppCannotStart as refusal:
            return AppExit(_NEVER_RAN, 0.0, error=str(refusal))
    try:
        async with replicate.context.live_output.followed(
            replicate.task.task_id, lambda sink: engine.follow_output(container, sink, from_now=not new)
        ):
            ended = await engine.run(container, replicate.task.max_execution_s, new=new)
    except AppCannotStart as refusal:
        return AppExit(_NEVER_RAN, 0.0, error=str(refusal))
    await engine.copy_logs(container, replicate.folder.stdout, replicate.folder.stderr)
    return ended


def _plan(replicate: Replicate, image: str) -> ContainerPlan:
    policy = replicate.context.policy
    return ContainerPlan(
        task_id=replicate.task.task_id,
        name=f"{policy.name}-{replicate.task.task_id}",
        image=image,
        command=split(replicate.task.command_line),
        environment=app_environment(replicate.task),
        binds={
            replicate.folder.input: (IEXEC_IN, True),
            replicate.folder.iexec_out: (IEXEC_OUT, False),
        },
        limits=policy.limits,
    )


def _explain(replicate: Replicate, ended: AppExit, result_message: str) -> str:
    if ended.timed_out:
        cause = ReplicateStatusCause.APP_COMPUTE_TIMEOUT
        return f"{cause.value}: the app was killed after {replicate.task.max_execution_s:g} s"
    cause = ReplicateStatusCause.APP_COMPUTE_FAILED
    if ended.error:
        return f"{cause.value}: the app could not be started: {ended.error}"
    if ended.exit_code != 0:
        return f"{cause.value}: the app ended with exit code {ended.exit_code}"
    return result_message
