"""COMPUTE: run the app once, across restarts of the worker, and build its result."""

import time

from workerpool_kit.runtime.tasks import start_task
from workerpool_poco.protocol.statuses import ReplicateStatusCause

from workerpool_worker.app.folder_access import with_access
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.container import container_plan
from workerpool_worker.app.steps.download import provide_image
from workerpool_worker.app.steps.post_compute import make_result
from workerpool_worker.app.steps.prechecks import check_may_contribute
from workerpool_worker.domain.failures.app_exit import KILLED, NEVER_RAN, AppExit, failure_of
from workerpool_worker.domain.updates import Details, tail
from workerpool_worker.errors import AppCannotStart, ImageUnavailable, SandboxLost, StepFailed, TaskFault

_ENDED_WITH_HOST = frozenset({KILLED, 143, 255})
"""Exit codes of apps that ended with their engine or host: SIGKILL, SIGTERM, and the engine's code for unknown."""
_LOGGED_CHARACTERS = 2_000
_CHECKED_S = 5.0
"""A quick task reaches its app within this time after START checked the same."""
_CREATIONS = 3
"""An operator's cleanup may remove an image that has no container yet."""


async def compute(replicate: Replicate) -> None:
    """Run the app in a slot and report COMPUTED. Raises `TaskFault` if the app or its output fails the task."""
    context = replicate.context
    async with context.slots:
        async with context.removals:
            pass  # An engine that is slow to remove containers gets no further ones meanwhile.
        ended = await _run_app(replicate)
    replicate.log.info(
        "app.ended",
        exit_code=ended.exit_code,
        run_time_s=round(ended.run_time_s, 3),
        timed_out=ended.timed_out,
        out_of_memory=ended.out_of_memory,
        disk_excess=ended.disk_excess,
        error=ended.error,
    )
    context.measures.app_ended(ended)
    stdout, stderr = await replicate.run_blocking(replicate.folder.read_output_tails)
    if context.policy.log_app_output:
        replicate.log.info(
            "app.output_logged",
            stdout=tail(stdout, _LOGGED_CHARACTERS),
            stderr=tail(stderr, _LOGGED_CHARACTERS),
        )
    limits, max_execution_s = context.policy.limits, replicate.task.max_execution_s
    failure = failure_of(ended, limits=limits, max_execution_s=max_execution_s)
    if failure is not None:
        raise TaskFault(failure.cause, failure.message, exit_code=failure.exit_code)
    began = time.monotonic()
    result = await make_result(replicate, exit_code=ended.exit_code)
    context.timings.record(ended.run_time_s, time.monotonic() - began)
    saved = replicate.complete_step(
        Details(exit_code=ended.exit_code, stdout=stdout, stderr=stderr), result=result
    )
    replicate.remove_container_after(saved)
    if not replicate.task.has_callback:
        # While the chain takes contribution and reveal, which an upload waits for.
        preparation = context.store.prepare(
            context.result_proxy_url,
            replicate.assignment.authorization,
            replicate.folder.archive,
            is_only_worker=replicate.task.trust <= 1,
        )
        start_task(preparation, name="upload-preparation")


async def _run_app(replicate: Replicate) -> AppExit:
    """Run the app to its end, or attach to the container of an earlier attempt."""
    container = (
        await replicate.context.engine.find(replicate.task.task_id) if replicate.may_have_container else None
    )
    if container is not None:
        replicate.log.info("app.reattached", container=container[:12])
    ended = await _run_container(replicate, container)
    if container is not None and ended.exit_code in _ENDED_WITH_HOST and ended.within_limits:
        # The app most likely ended with its host or engine while no worker observed it.
        replicate.log.warning("app.restarted", exit_code=ended.exit_code)
        ended = await _run_container(replicate, None)
    return ended


async def _run_container(replicate: Replicate, container: str | None) -> AppExit:
    engine, new = replicate.context.engine, container is None
    try:
        if container is None:
            await check_may_contribute(replicate, max_age_s=_CHECKED_S)
            replicate.may_have_container = True
            container = await replicate.prepared.take() or await _create(replicate)
        try:
            ended = await _observe(replicate, container, new=new)
        except SandboxLost as lost:
            # The engine restarted since the creation of the container.
            replicate.log.warning("container.replaced", reason=lost.message)
            container = await _create(replicate)
            ended = await _observe(replicate, container, new=True)
    except AppCannotStart as refusal:
        return AppExit(NEVER_RAN, 0.0, error=str(refusal))
    await engine.copy_logs(container, replicate.folder.stdout, replicate.folder.stderr)
    return ended


async def _observe(replicate: Replicate, container: str, *, new: bool) -> AppExit:
    """Run a container, and pass its output on meanwhile."""
    engine, task = replicate.context.engine, replicate.task
    async with replicate.context.live_output.followed(
        task.task_id, lambda sink: engine.follow_output(container, sink, from_now=not new)
    ):
        return await engine.run(container, task.max_execution_s, new=new)


async def _create(replicate: Replicate) -> str:
    """Create the container and return its id. Pull the image again if it was removed in the meantime."""
    engine, folder = replicate.context.engine, replicate.folder
    await with_access(engine, folder.iexec_out, lambda: replicate.run_blocking(folder.prepare_output))
    plan = container_plan(replicate)
    reason = ""
    for _ in range(_CREATIONS):
        try:
            return await engine.create(plan)
        except ImageUnavailable as missing:
            replicate.log.warning("image.not_found", reason=missing.message)
            reason = missing.message
            await _provide_again(replicate)
    raise StepFailed(ReplicateStatusCause.APP_NOT_FOUND_LOCALLY, reason)


async def _provide_again(replicate: Replicate) -> None:
    """Pull an image that was here. If it does not come again, that is no failure of the app."""
    try:
        await provide_image(replicate)
    except TaskFault as gone:
        raise StepFailed(ReplicateStatusCause.APP_NOT_FOUND_LOCALLY, gone.message) from gone
