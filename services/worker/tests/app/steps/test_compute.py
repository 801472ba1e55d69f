"""COMPUTE: the app's end, its result and its report, across restarts of the worker."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_poco.protocol.statuses import ReplicateStatusCause as Cause
from workerpool_worker.adapters.stage_durations import StageDurations
from workerpool_worker.app.ports import ContainerPlan
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.replicate_context import ReplicateContext
from workerpool_worker.app.steps.compute import compute
from workerpool_worker.app.steps.container import container_plan
from workerpool_worker.domain.failures.app_exit import AppExit
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import Details
from workerpool_worker.errors import AppCannotStart, SandboxLost, StepFailed, TaskFault

from services.worker.tests.doubles.engine import App, FakeEngine
from services.worker.tests.doubles.result_store import FakeResultStore
from services.worker.tests.harness.builders import TASK_ID, assignment
from services.worker.tests.harness.context import POLICY, make_context, make_replicate, updates
from services.worker.tests.harness.waiting import wait_until

HELLO = ("hello",)


class ResultEngine(FakeEngine):
    """An engine whose apps write a valid result."""

    content = '{"deterministic-output-path": "/iexec_out/result.txt"}'

    async def run(self, container: str, limit_s: float, *, new: bool = False) -> AppExit:
        ended = await super().run(container, limit_s, new=new)
        out = next(
            path for path, (inside, _) in self.containers[container].plan.binds.items() if "out" in inside
        )
        (out / "result.txt").write_text("hello")
        (out / "computed.json").write_text(self.content)
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
    assert (details.error_message, details.cause) == ("", None)
    assert replicate.record.stage is Stage.CONTRIBUTE
    assert replicate.record.result_available
    await wait_until(lambda: not engine.containers)


async def test_an_archive_is_prepared_for_its_upload(tmp_path: Path) -> None:
    replicate, store = replicate_on(tmp_path, engine_with(App())), FakeResultStore(set())
    replicate.context.store = store
    await compute(replicate)
    await wait_until(lambda: store.prepared)
    assert store.prepared == [replicate.folder.archive]


async def test_the_result_of_a_callback_deal_is_not_uploaded_so_it_is_not_prepared(tmp_path: Path) -> None:
    class CallbackEngine(ResultEngine):
        content = '{"callback-data": "0x01"}'

    engine, store = CallbackEngine({HELLO: App()}, {"app:1"}), FakeResultStore(set())
    context = make_context(tmp_path, engine=engine)
    context.store = store
    task = assignment(command_line="hello", max_execution_s=0.5, callback="0x" + "22" * 20)
    replicate = make_replicate(context, assigned=task, stage=Stage.COMPUTE)
    await compute(replicate)
    await reported(context)
    assert store.prepared == []


@pytest.mark.parametrize(
    ("app", "cause", "exit_code", "message"),
    [
        pytest.param(
            App(exit_code=3),
            Cause.APP_COMPUTE_FAILED,
            3,
            "the app ended with exit code 3",
            id="app-exit-3-with-result",
        ),
        pytest.param(
            App(duration_s=60),
            Cause.APP_COMPUTE_TIMEOUT,
            137,
            "the app was killed at its time limit of 0.5 s",
            id="app-time-limit",
        ),
        pytest.param(
            App(out_of_memory=True),
            Cause.APP_OUT_OF_MEMORY,
            137,
            "out of memory, limit 1 MiB",
            id="app-memory",
        ),
        pytest.param(
            App(disk_excess="wrote more than 10 MiB to /iexec_out"),
            Cause.APP_DISK_LIMIT_EXCEEDED,
            137,
            "the app wrote more than 10 MiB to /iexec_out",
            id="app-fills-disk",
        ),
        pytest.param(
            App(starts=False),
            Cause.APP_CANNOT_START,
            -1,
            "the app cannot be started: no such program: hello",
            id="no such program",
        ),
    ],
)
async def test_a_failed_app_has_no_result_although_it_wrote_one(
    tmp_path: Path, app: App, cause: Cause, exit_code: int, message: str
) -> None:
    replicate = replicate_on(tmp_path, engine_with(app))
    with pytest.raises(TaskFault) as fault:
        await compute(replicate)
    assert (fault.value.cause, fault.value.exit_code, fault.value.message) == (cause, exit_code, message)
    assert replicate.record.result is None


async def test_output_that_breaks_a_rule_is_the_requesters_fault(tmp_path: Path) -> None:
    with pytest.raises(TaskFault) as fault:
        await compute(replicate_on(tmp_path, FakeEngine(images={"app:1"})))
    assert fault.value.cause is Cause.POST_COMPUTE_COMPUTED_FILE_NOT_FOUND
    assert fault.value.exit_code == 0


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


async def test_the_container_that_was_created_meanwhile_is_started(tmp_path: Path) -> None:
    engine = engine_with(App())
    replicate = replicate_on(tmp_path, engine)
    replicate.folder.prepare_output()
    replicate.prepared.begin(engine.create(container_plan(replicate)))
    await compute(replicate)
    assert len(engine.created) == 1
    assert replicate.record.result_available
    await wait_until(lambda: not engine.containers)


async def test_no_app_starts_while_containers_pile_up_that_are_being_removed(tmp_path: Path) -> None:
    engine = engine_with(App())
    replicate = replicate_on(tmp_path, engine)
    removals = replicate.context.removals
    while not removals.locked():
        await removals.acquire()
    computing = asyncio.create_task(compute(replicate))
    await asyncio.wait({computing}, timeout=0.1)  # The subject: nothing happens.
    assert not computing.done()
    assert engine.created == []
    removals.release()
    await computing
    assert len(engine.created) == 1


async def test_a_container_that_was_not_created_meanwhile_is_created(tmp_path: Path) -> None:
    engine = engine_with(App())
    replicate = replicate_on(tmp_path, engine)
    engine.images.clear()
    replicate.prepared.begin(engine.create(container_plan(replicate)))
    await asyncio.sleep(0)
    engine.images.add("app:1")
    await compute(replicate)
    assert len(engine.created) == 1
    assert replicate.record.result_available


class Restarted(ResultEngine):
    """An engine that lost the network of the containers that were created before its restart."""

    lost = 1

    async def run(self, container: str, limit_s: float, *, new: bool = False) -> AppExit:
        if self.lost:
            self.lost -= 1
            raise SandboxLost("it ended with the engine")
        return await super().run(container, limit_s, new=new)


async def test_a_container_that_lost_its_network_is_created_again(tmp_path: Path) -> None:
    engine = Restarted({HELLO: App()}, {"app:1"})
    replicate = replicate_on(tmp_path, engine)
    replicate.prepared.begin(engine.create(container_plan(replicate)))
    await compute(replicate)
    assert len(engine.created) == 2
    assert (await reported(replicate.context)).exit_code == 0


async def test_an_app_that_cannot_start_is_created_once(tmp_path: Path) -> None:
    class Refusing(FakeEngine):
        creations = 0

        async def create(self, plan: ContainerPlan) -> str:
            self.creations += 1
            raise AppCannotStart("no command specified")

    engine = Refusing()
    replicate = replicate_on(tmp_path, engine)
    replicate.prepared.begin(engine.create(container_plan(replicate)))
    with pytest.raises(TaskFault) as fault:
        await compute(replicate)
    assert fault.value.cause is Cause.APP_CANNOT_START
    assert engine.creations == 1


class Pruned(ResultEngine):
    """An engine whose image was removed after the download; `pulls` says how often it comes again."""

    pulls = 0

    async def ensure_image(self, image: str, limit_s: float) -> None:
        self.pulls += 1
        self.images.add(image)

    async def create(self, plan: ContainerPlan) -> str:
        if self.pulls == 1:
            self.images.clear()
        return await super().create(plan)


async def test_an_image_that_was_removed_in_between_is_pulled_again(tmp_path: Path) -> None:
    engine = Pruned({HELLO: App()})
    replicate = replicate_on(tmp_path, engine)
    await compute(replicate)
    assert engine.pulls == 2
    assert (await reported(replicate.context)).cause is None


async def test_an_image_that_cannot_be_pulled_again_is_not_a_failure_of_the_app(tmp_path: Path) -> None:
    with pytest.raises(StepFailed) as failed:
        await compute(replicate_on(tmp_path, FakeEngine()))
    assert failed.value.cause is Cause.APP_NOT_FOUND_LOCALLY


async def test_durations_and_exits_are_recorded(tmp_path: Path) -> None:
    replicate = replicate_on(tmp_path, engine_with(App()))
    labels = {"exit_code": "0", "ended_by": "itself"}
    before = REGISTRY.get_sample_value("workerpool_worker_app_exits_total", labels) or 0.0
    await compute(replicate)
    assert REGISTRY.get_sample_value("workerpool_worker_app_exits_total", labels) == before + 1
    assert isinstance(replicate.context.timings, StageDurations)
    assert replicate.context.timings.snapshot()["appComputeDurations"]["durationSamplesCount"] == 1
