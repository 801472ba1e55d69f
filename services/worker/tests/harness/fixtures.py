"""Types of the fixtures that are functions."""

from collections.abc import Callable
from typing import Any

from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.docker.network.isolated import IsolatedNetwork
from workerpool_worker.app.ports import ContainerPlan

MakeEngine = Callable[[str], DockerEngine]
"""Makes the engine of a worker with the given wallet."""

MakePlan = Callable[..., ContainerPlan]
"""Makes the plan of a container that runs the given command."""

ContainersOf = Callable[..., list[Any]]
"""Returns the containers of a wallet, of all tasks or of one."""

MakeNetwork = Callable[..., IsolatedNetwork]
"""Makes the network of apps of one more worker; keyword arguments replace those of `IsolatedNetwork`."""
