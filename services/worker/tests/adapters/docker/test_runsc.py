"""Apps under gVisor: the Debian package `runsc` as a runtime of an engine of these tests alone."""

import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from patience import PATIENCE_S
from workerpool_poco.protocol.ids import TaskId
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.app.ports import ContainerPlan
from workerpool_worker.domain.containers.division import HostDivision
from workerpool_worker.domain.host import SlotLimits
from workerpool_worker.errors import AppCannotStart

from services.worker.tests.harness import private_engine as engines
from services.worker.tests.harness.app_image import NoBusybox, ensure_image
from services.worker.tests.harness.private_engine import PrivateEngine

RUNSC = shutil.which("runsc") or ""
pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(
        not RUNSC, reason="NO RUNSC: install the Debian package runsc; no app ran under gVisor"
    ),
]
Plan = Callable[..., ContainerPlan]


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateEngine]:
    """An engine with the runtime."""
    if reason := engines.why_not():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("engine")
    seen = engines.namespace(folder, {})
    program = folder / "runsc"
    # These apps have no network. Without the option Debian's version takes a namespace of a new kernel for the host's.
    program.write_text(f'#!/bin/sh\nexec {RUNSC} --network=none "$@"\n')
    program.chmod(0o755)
    with engines.private_engine(folder / "files", seen, runtimes={"runsc": str(program)}) as engine:
        yield engine


@pytest.fixture(scope="module")
def image(private: PrivateEngine) -> str:
    try:
        return ensure_image(private.client)
    except NoBusybox:
        pytest.skip("NO BUSYBOX: install the Debian package busybox-static; no app ran under gVisor")


@pytest.fixture
async def engine(private: PrivateEngine) -> AsyncIterator[DockerEngine]:
    engine = DockerEngine(f"test-{uuid.uuid4().hex}", base_url=private.url)
    assert "runsc" in (await engine.host()).runtimes
    engine.divide(HostDivision(runtime="runsc"))
    yield engine
    await engine.remove_others(frozenset())
    engine.close()


@pytest.fixture
def plan(image: str, tmp_path: Path) -> Plan:
    out = tmp_path / "out"
    out.mkdir()
    out.chmod(0o777)

    def make(*command: str) -> ContainerPlan:
        task = TaskId(f"task-{uuid.uuid4().hex}")
        limits = SlotLimits(1.0, 256 << 20, 1024)
        return ContainerPlan(task, f"worker-{task}", image, command, {}, {out: ("/iexec_out", False)}, limits)

    return make


async def test_an_app_runs_on_the_kernel_of_gvisor(engine: DockerEngine, plan: Plan, tmp_path: Path) -> None:
    container = await engine.create(plan("/bin/sh", "-c", "cat /proc/version; echo x > /iexec_out/r; exit 7"))
    ended = await engine.run(container, PATIENCE_S, new=True)
    await engine.copy_logs(container, tmp_path / "stdout", tmp_path / "stderr")
    assert ended.exit_code == 7, (tmp_path / "stderr").read_text()
    version = (tmp_path / "stdout").read_text()
    assert version.startswith("Linux version")
    assert version != Path("/proc/version").read_text()
    assert (tmp_path / "out/r").read_text() == "x\n"


async def test_an_app_ends_at_its_time_limit(engine: DockerEngine, plan: Plan) -> None:
    ended = await engine.run(await engine.create(plan("/bin/sleep", "600")), 1.0, new=True)
    assert ended.timed_out


async def test_a_program_that_is_missing_is_the_apps_fault(engine: DockerEngine, plan: Plan) -> None:
    with pytest.raises(AppCannotStart, match="no/such/program"):
        await engine.run(await engine.create(plan("/no/such/program")), PATIENCE_S, new=True)
