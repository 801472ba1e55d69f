"""A container engine in memory that knows a few apps."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workerpool_poco.protocol.ids import TaskId
from workerpool_worker.app.ports import ContainerPlan, OutputSink
from workerpool_worker.domain.failures.app_exit import AppExit
from workerpool_worker.domain.output_tail import OutputStream
from workerpool_worker.errors import AppCannotStart, DockerUnavailable, ImageUnavailable


@dataclass(frozen=True)
class App:
    """What an app does: it prints, writes one result file, and ends after `duration_s` seconds."""

    stdout: str = ""
    stderr: str = ""
    exit_code: int = 0
    duration_s: float = 0.0
    starts: bool = True
    out_of_memory: bool = False
    disk_excess: str = ""


@dataclass
class _Container:
    plan: ContainerPlan
    app: App
    ended: AppExit | None = None


@dataclass
class FakeEngine:
    """Implements the `Engine` port. `apps` maps a command to an app; `images` are on the host."""

    apps: Mapping[tuple[str, ...], App] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    outages: int = 0
    """Calls that fail with `DockerUnavailable` before the engine answers."""
    containers: dict[str, _Container] = field(default_factory=dict)
    created: list[ContainerPlan] = field(default_factory=list)
    opened: list[Path] = field(default_factory=list)
    """Folders that were to be opened; their modes stay."""

    async def ensure_image(self, image: str, limit_s: float) -> None:
        self._answer()
        if image not in self.images:
            raise ImageUnavailable(f"the image {image} cannot be pulled: unknown")

    async def find(self, task_id: TaskId) -> str | None:
        self._answer()
        return next((name for name, each in self.containers.items() if each.plan.task_id == task_id), None)

    async def create(self, plan: ContainerPlan) -> str:
        self._answer()
        if plan.image not in self.images:
            raise ImageUnavailable(f"the image {plan.image} is no longer on this host")
        self.containers = {
            name: each for name, each in self.containers.items() if each.plan.name != plan.name
        }
        self.created.append(plan)
        container = f"container-{len(self.created):012}"
        self.containers[container] = _Container(plan, self.apps.get(tuple(plan.command), App()))
        return container

    async def run(self, container: str, limit_s: float, *, new: bool = False) -> AppExit:
        self._answer()
        running = self.containers[container]
        if not running.app.starts:
            raise AppCannotStart(f"no such program: {running.plan.command[0]}")
        if running.ended is None:
            timed_out = running.app.duration_s > limit_s
            await asyncio.sleep(min(running.app.duration_s, limit_s))
            exit_code = 137 if timed_out else running.app.exit_code
            running.ended = AppExit(
                exit_code,
                min(running.app.duration_s, limit_s),
                timed_out=timed_out,
                out_of_memory=running.app.out_of_memory,
                disk_excess=running.app.disk_excess,
            )
        return running.ended

    async def follow_output(self, container: str, sink: OutputSink, *, from_now: bool) -> None:
        sink.add(OutputStream.STDOUT, self.containers[container].app.stdout.encode())
        await asyncio.Event().wait()

    async def copy_logs(self, container: str, stdout: Path, stderr: Path) -> None:
        self._answer()
        stdout.write_text(self.containers[container].app.stdout)
        stderr.write_text(self.containers[container].app.stderr)

    async def open_folder(self, folder: Path) -> None:
        self._answer()
        self.opened.append(folder)

    async def remove(self, task_id: TaskId) -> None:
        self._answer()
        self.containers = {
            name: each for name, each in self.containers.items() if each.plan.task_id != task_id
        }

    def _answer(self) -> None:
        if self.outages:
            self.outages -= 1
            raise DockerUnavailable("the Docker engine does not answer: it is away")
