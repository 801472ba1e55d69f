"""The container of a task's app: what it is made of, and its creation ahead of COMPUTE."""

from workerpool_poco.protocol.app_environment import IEXEC_IN, IEXEC_OUT
from workerpool_poco.protocol.tags import requires_gpu

from workerpool_worker.app.ports import ContainerPlan
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.domain.command_line import split
from workerpool_worker.domain.environment import app_environment
from workerpool_worker.domain.images import local_name


async def prepare_container(replicate: Replicate) -> None:
    """Start to create the app's container in the background, unless it exists.

    A failure has no effect, for example while the image is not on this host yet. A container that gets a GPU is not
    prepared: it would keep it from the apps of other workers while files are fetched.
    """
    if replicate.prepared.has_container or requires_gpu(replicate.task.tag):
        return
    try:
        await replicate.run_blocking(replicate.folder.prepare_output)
    except OSError as problem:
        # COMPUTE opens the output of an interrupted run, or reports the failure of the disk.
        replicate.log.info("container.preparation_failed", reason=str(problem))
        return

    async def create() -> str:
        return await replicate.context.engine.create(container_plan(replicate))

    replicate.prepared.begin(create())


def container_plan(replicate: Replicate) -> ContainerPlan:
    """Return the plan of the container of a replicate's app."""
    policy = replicate.context.policy
    return ContainerPlan(
        task_id=replicate.task.task_id,
        name=f"{policy.name}-{replicate.task.task_id}",
        image=local_name(replicate.task.app_uri),
        command=split(replicate.task.command_line),
        environment=app_environment(replicate.task),
        binds={
            replicate.folder.input: (IEXEC_IN, True),
            replicate.folder.iexec_out: (IEXEC_OUT, False),
        },
        limits=policy.limits,
        gpus=policy.gpus_per_task if requires_gpu(replicate.task.tag) else 0,
    )
