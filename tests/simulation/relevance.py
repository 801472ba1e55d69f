"""Whether a planted bug can show in a seed, decided from its faults, apps and workers before it runs."""

from workerpool_core.simulation.behaviours import AppBehaviour, WorkerBehaviour
from workerpool_core.simulation.environment import Environment


def has_liar(environment: Environment) -> bool:
    return WorkerBehaviour.LYING in environment.behaviours.values()


def has_large_app(environment: Environment) -> bool:
    return AppBehaviour.LARGE in environment.apps.values()


def has_failing_app(environment: Environment) -> bool:
    return environment.faults.must_complete and bool(environment.apps)


def refunds_failures(environment: Environment) -> bool:
    return has_failing_app(environment) and not environment.faults.error_results


def has_slow_app(environment: Environment) -> bool:
    return AppBehaviour.SLOW in environment.apps.values()


def is_sequenced(environment: Environment) -> bool:
    return environment.chain.sequenced


def has_outages(environment: Environment) -> bool:
    return environment.faults.must_complete and environment.faults.outages > 0
