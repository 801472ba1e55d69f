"""Health of the process: components report it; the HTTP port, the gRPC health service and a metric show it."""

from collections.abc import Callable
from typing import Any

from workerpool_kit.metrics import COMPONENT_UP

UP, OUT_OF_SERVICE = "UP", "OUT_OF_SERVICE"


class Health:
    """State of the components of a process (chain, database …): UP while all of them are up."""

    def __init__(self) -> None:
        self._components: dict[str, dict[str, Any]] = {}
        self._listeners: list[Callable[[], None]] = []

    @property
    def is_up(self) -> bool:
        """True while every component that has reported is up."""
        return all(component["status"] == UP for component in self._components.values())

    def set(self, component: str, up: bool, **details: object) -> None:
        """Record the state of a component; `details` are public, so they must not contain a secret."""
        was = {name: state["status"] for name, state in self._components.items()}
        state: dict[str, Any] = {"status": UP if up else OUT_OF_SERVICE}
        if details:
            state["details"] = details
        self._components[component] = state
        COMPONENT_UP.labels(component).set(up)
        if was.get(component) != state["status"]:
            for listener in self._listeners:
                listener()

    def snapshot(self) -> dict[str, Any]:
        """Return `{"status": …, "components": {name: {"status": …, "details": …}}}`, as Spring's actuator does."""
        return {
            "status": UP if self.is_up else OUT_OF_SERVICE,
            "components": {name: dict(state) for name, state in self._components.items()},
        }

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call `callback` after each change of a component's status."""
        self._listeners.append(callback)
