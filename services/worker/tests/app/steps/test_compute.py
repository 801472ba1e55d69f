"""COMPUTE: the app's end, its result and its report, across restarts of the worker."""

from pathlib import Path
from typing import Any

import pytest
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause
from workerpool_worker.adapters.stage_durations import StageDurations
from workerpool_worker.app.ports import AppExit, ContainerPlan
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.replicate_context import ReplicateContext
from workerpool_worker.app.steps.compute import compute
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import Details
from workerpool_worker.errors import StepFailed

from services.worker.tests.doubles.engine import App, FakeEngine
from services.worker.tests.harness.builders import TASK_ID, assignment
from services.worker.tests.harness.context import POLICY, make_context, make_replicate, updates
from services.worker.tests.harness.waiting import wait_until

HELLO = ("hello",)


class ResultEngine(FakeEngine):
    """An engine whose apps write a valid result."""

    async def run(self, container: str, limit_s: float, *, new: bool = False) -> AppExit:
        ended = await super().run(container, limit_s, new=new)
        out = next(
            path for path, (inside, _) in self.containers[container].plan.binds.items() if "out" in inside
        )
        (out / "result.txt").write_text("hello")
        (out / "computed.json").write_text('{"deterministic-output-path": "/iexec_out/result.txt"}')
        return ended


def replicate_on(tmp_path: Path, engine: FakeEngine, **record: Any) -> Replicate:
    context = make_context(tmp_path, engine=engine)
    task = assignment(command_line="hello", max_execution_s=0.5)
    return make_replicate(context, assigned=task, **({"stage": Stage.COMPUTE} | record))


async def reported(context: ReplicateContext) -> Details:
    (update,) = await wait_until(lambda: updates(context))
    assert update.status is ReplicateStatus.COMPUTED
    found: Details = update.details
    return found


def engine_with(app: App) -> ResultEngine:
    return ResultEngine({HELLO: app}, {"app:1"})


async def test_a_result_is_reported_with_its_output(tmp_path: Path) -> None:
    engine = engine_with(App(stdout="said\n", stderr="warned\n"))
    replicate = replicate_on(tmp_path, engine)
    await compute(replicate)
    details = await reported(replicate.context)
    assert (details.exit_code, details.stdout, details.stderr) == (0, "said\n", "warned\n")
    assert details.error_message == ""
    assert replicate.record.stage is Stage.CONTRIBUTE
    assert replicate.record.result_available
    await wait_until(lambda: not engine.containers)


async def test_the_container_gets_the_slots_limits_and_the_tasks_folders(tmp_path: Path) -> None:
    engine = engine_with(App())
    replicate = replicate_on(tmp_path, engine)
    await compute(replicate)
    (plan,) = engine.created
    assert plan == ContainerPlan(
        task_id=TASK_ID,
        name=f"worker-{TASK_ID}",
        image="app:1",
        command=["hello"],
        environment=plan.environment,
        binds={
            replicate.folder.input: ("/iexec_in", True),
            replicate.folder.iexec_out: ("/iexec_out", False),
        },
        limits=POLICY.limits,
    )
    assert plan.environment["IEXEC_TASK_ID"] == TASK_ID


@pytest.mark.parametrize(
    ("app", "exit_code", "message"),
    [
        (App(exit_code=3), 3, "APP_COMPUTE_FAILED: the app ended with exit code 3"),
        (App(duration_s=60), 137, "APP_COMPUTE_TIMEOUT: the app was killed after 0.5 s"),
        (App(starts=False), -1, "APP_COMPUTE_FAILED: the app could not be started: no such program: hello"),
    ],
    ids=["exit code", "time limit", "no such program"],
)
async def test_a_failed_app_is_reported_as_computed_with_the_reason(
    tmp_path: Path, app: App, exit_code: int, message: str
) -> None:
    replicate = replicate_on(tmp_path, engine_with(app))
    await compute(replicate)
    details = await reported(replicate.context)
    assert (details.exit_code, details.error_message) == (exit_code, message)
    assert replicate.record.stage is Stage.CONTRIBUTE


async def test_output_without_a_result_keeps_the_cause_for_the_contribution(tmp_path: Path) -> None:
    replicate = replicate_on(tmp_path, FakeEngine(images={"app:1"}))
    await compute(replicate)
    result = replicate.record.result
    assert result is not None
    assert result.cause is ReplicateStatusCause.POST_COMPUTE_COMPUTED_FILE_NOT_FOUND


async def test_a_container_of_an_earlier_attempt_is_reattached(tmp_path: Path) -> None:
    engine = engine_with(App())
    first = replicate_on(tmp_path, engine)
    first.folder.prepare_output()
    plan = ContainerPlan(
        TASK_ID, "worker", "app:1", HELLO, {}, {first.folder.iexec_out: ("/iexec_out", False)}, POLICY.limits
    )
    await engine.create(plan)
    replicate = replicate_on(tmp_path, engine, status=ReplicateStatus.COMPUTING)
    await compute(replicate)
    assert engine.created == [plan]
    assert replicate.record.result_available


async def test_an_app_that_was_killed_with_its_host_is_run_again(tmp_path: Path) -> None:
    engine = engine_with(App())
    first = replicate_on(tmp_path, engine)
    first.folder.prepare_output()
    binds = {first.folder.iexec_out: ("/iexec_out", False)}
    container = await engine.create(
        ContainerPlan(TASK_ID, f"worker-{TASK_ID}", "app:1", HELLO, {}, binds, POLICY.limits)
    )
    engine.containers[container].ended = AppExit(137, 0.1)
    replicate = replicate_on(tmp_path, engine, status=ReplicateStatus.COMPUTING)
    await compute(replicate)
    assert len(engine.created) == 2
    assert (await reported(replicate.context)).exit_code == 0


async def test_an_image_that_disappeared_fails_the_step(tmp_path: Path) -> None:
    with pytest.raises(StepFailed) as failed:
        await compute(replicate_on(tmp_path, FakeEngine()))
    assert failed.value.cause is ReplicateStatusCause.APP_NOT_FOUND_LOCALLY


async def test_durations_are_recorded(tmp_path: Path) -> None:
    replicate = replicate_on(tmp_path, engine_with(App()))
    await compute(replicate)
    assert isinstance(replicate.context.timings, StageDurations)
    assert replicate.context.timings.snapshot()["appComputeDurations"]["durationSamplesCount"] == 1
