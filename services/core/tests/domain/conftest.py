"""Pools that a test drives step by step."""

from collections.abc import Callable

import pytest
from workerpool_core.domain.policy import Policy
from workerpool_core.simulation.scripted_pool import ScriptedPool


@pytest.fixture
def pool() -> ScriptedPool:
    return ScriptedPool()


@pytest.fixture
def make_pool() -> Callable[..., ScriptedPool]:
    """`make_pool(policy, seed)` makes a pool with another policy."""

    def make(policy: Policy | None = None, seed: int = 1) -> ScriptedPool:
        return ScriptedPool(policy, seed)

    return make
