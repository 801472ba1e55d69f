"""Which sandbox an app gets: one that is idle, never one that another app is about to join."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from workerpool_worker.adapters.docker.sandboxes import Sandboxes
from workerpool_worker.domain.containers.sandbox_choice import SANDBOX_LABEL

WORKER, NETWORK = "0xWorker", "apps"
FIRST, SECOND = "1" * 64, "2" * 64


class Engine:
    """An engine of sandboxes and apps in memory, which is also the connection to it."""

    def __init__(self) -> None:
        self.containers_now: list[dict[str, Any]] = []
        self.lists = 0
        self.after_list: Callable[[], Any] = lambda: None
        """Called once after a list was taken, before it is returned."""

    async def call(self, work: Callable[[Any], str]) -> str:
        return work(self)

    def containers(self, **_: object) -> list[dict[str, Any]]:
        self.lists += 1
        found = list(self.containers_now)
        then, self.after_list = self.after_list, lambda: None
        then()
        return found

    def create_host_config(self, **options: object) -> dict[str, object]:
        return options

    def inspect_image(self, _: str) -> None: ...

    def create_container(self, *_: object, **__: object) -> dict[str, str]:
        identity = (FIRST, SECOND)[len(self.sandboxes)]
        labels = {SANDBOX_LABEL: WORKER}
        self.containers_now.append(
            {
                "Id": identity,
                "Names": None,
                "Labels": labels,
                "State": "running",
                "HostConfig": {"NetworkMode": NETWORK},
            }
        )
        return {"Id": identity}

    def start(self, _: str) -> None: ...

    @property
    def sandboxes(self) -> list[str]:
        return [each["Id"] for each in self.containers_now if each["Labels"]]

    def run_app(self, name: str, mode: str) -> None:
        app = {
            "Id": name,
            "Names": [f"/{name}"],
            "Labels": {},
            "State": "running",
            "HostConfig": {"NetworkMode": mode},
        }
        self.containers_now.append(app)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def sandboxes(engine: Engine, tmp_path: Path) -> Sandboxes:
    connection: Any = engine
    return Sandboxes(connection, WORKER, NETWORK, "", groups=tmp_path)


async def test_an_app_that_is_created_while_the_engine_lists_keeps_its_sandbox(
    engine: Engine, sandboxes: Sandboxes
) -> None:
    """The list may lack the app, and its sandbox is no longer reserved when the list arrives."""
    async with AsyncExitStack() as first:
        mode = await first.enter_async_context(sandboxes.reserved())

        def created_meanwhile() -> None:
            engine.run_app("app", mode)
            sandboxes.joined("app", mode)
            sandboxes._reserved.discard(FIRST)  # as the end of `first` does in the event loop

        engine.after_list = created_meanwhile
        async with sandboxes.reserved() as other:
            assert other != mode


async def test_a_sandbox_whose_app_ended_is_taken_without_a_list(
    engine: Engine, sandboxes: Sandboxes, tmp_path: Path
) -> None:
    (tmp_path / "docker" / FIRST).mkdir(parents=True)
    async with sandboxes.reserved() as mode:
        sandboxes.joined("app", mode)
    sandboxes.left("app")
    async with sandboxes.reserved() as again:
        assert again == mode
    assert engine.lists == 1


async def test_a_sandbox_without_a_control_group_is_checked(engine: Engine, sandboxes: Sandboxes) -> None:
    """The engine has restarted, or its control groups are not visible here."""
    async with sandboxes.reserved() as mode:
        sandboxes.joined("app", mode)
    sandboxes.left("app")
    async with sandboxes.reserved():
        assert engine.lists == 2


async def test_the_end_of_an_earlier_app_frees_no_sandbox_that_another_has_joined(
    engine: Engine, sandboxes: Sandboxes, tmp_path: Path
) -> None:
    (tmp_path / "docker" / FIRST).mkdir(parents=True)
    async with sandboxes.reserved() as mode:
        sandboxes.joined("first", mode)
    # The engine knows of the end of the first app before this process does.
    async with sandboxes.reserved() as mode:
        engine.run_app("second", mode)
        sandboxes.joined("second", mode)
    sandboxes.left("first")
    async with sandboxes.reserved() as other:
        assert other != mode
