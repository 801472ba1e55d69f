"""One dependency of a process as a health component, logged once per change."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger, without_credentials

log = get_logger()

UNREACHABLE = "unreachable"
"""Kind of a problem that also occurs while the dependency starts."""
CREDENTIALS = "credentials"
WRONG = "wrong"
"""Kind of a problem with the setting: the address leads to another service, chain or content."""
NOT_IN_SERVICE = "not_in_service"

_PASSING = frozenset({UNREACHABLE, NOT_IN_SERVICE})
_PASSING_S = 3.0
"""Seconds for which a restarting dependency is shown in health, but not logged."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """What a process depends on, for its operator."""

    component: str
    """Name of the health component, such as `adapter`."""
    variable: str
    """The variable that names it."""
    address: str
    """Its address, without credentials."""
    next_step: str
    """What to do when it does not answer."""


class DependencyProblem(Exception):
    """A probe found the dependency unusable; the message tells the operator why."""

    def __init__(
        self,
        problem: str,
        *,
        kind: str = UNREACHABLE,
        variable: str | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(problem)
        self.kind = kind
        self.variable = variable
        self.next_step = next_step


class DependencyReport:
    """Records in `health` whether a dependency works, and logs each change once."""

    def __init__(
        self, health: Health, dependency: Dependency, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Show the dependency as not reached yet."""
        self.dependency = dependency
        self._address = without_credentials(dependency.address)
        self._health = health
        self._now = now
        self._lost_at: float | None = None
        self._logged: str | None = None
        self._set("not reached yet", UNREACHABLE, dependency.variable, dependency.next_step)

    @property
    def address(self) -> str:
        """The address of the dependency, without credentials."""
        return self._address

    @address.setter
    def address(self, address: str) -> None:
        self._address = without_credentials(address)

    def works(self, **details: object) -> None:
        """Record that the dependency works; `details` are shown in health."""
        self._health.set(self.dependency.component, True, address=self._address, **details)
        if self._logged is not None:
            lost_s = round(self._now() - (self._lost_at or self._now()), 1)
            log.info("dependency.recovered", component=self.dependency.component, lost_s=lost_s)
        self._lost_at = self._logged = None

    def fails(self, problem: DependencyProblem, **details: object) -> None:
        """Record why the dependency cannot be used; `details` are shown in health."""
        dependency, now = self.dependency, self._now()
        variable = problem.variable or dependency.variable
        next_step = problem.next_step or dependency.next_step
        text = without_credentials(str(problem))
        self._set(text, problem.kind, variable, next_step, **details)
        if self._lost_at is None:
            self._lost_at = now
        if problem.kind in _PASSING and now - self._lost_at < _PASSING_S:
            return
        if problem.kind != self._logged:
            self._logged = problem.kind
            log.warning(
                "dependency.lost",
                component=dependency.component,
                variable=variable,
                address=self._address,
                problem=text,
                next_step=next_step,
            )

    def _set(self, problem: str, kind: str, variable: str, next_step: str, **details: object) -> None:
        self._health.set(
            self.dependency.component,
            False,
            variable=variable,
            address=self._address,
            problem=problem,
            kind=kind,
            next_step=next_step,
            **details,
        )
