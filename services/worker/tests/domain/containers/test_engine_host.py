"""What an engine tells about its host, and the runtimes that can run apps."""

import pytest
from workerpool_worker.domain.containers.engine_host import EngineHost, joins_namespaces, runtime_problem

RUNTIMES = frozenset({"runsc", "runc"})


def test_a_host_is_read_from_the_engines_answer() -> None:
    info = {"MemTotal": 1 << 30, "NCPU": 4, "Runtimes": {"runc": {}, "runsc": {}}, "DefaultRuntime": "runc"}
    assert EngineHost.of(info) == EngineHost(1 << 30, 4, RUNTIMES, "runc")


def test_an_engine_that_reports_only_its_memory_has_no_known_runtimes() -> None:
    assert EngineHost.of({"MemTotal": 5, "Runtimes": None}) == EngineHost(5, 1, frozenset(), "")


@pytest.mark.parametrize("wanted", ["", "runc", "runsc", "io.containerd.kata.v2"])
def test_a_runtime_of_the_engine_and_its_default_can_run_apps(wanted: str) -> None:
    assert runtime_problem(wanted, RUNTIMES) == ""


def test_a_missing_runtime_is_reported_with_the_available_ones() -> None:
    assert runtime_problem("kata", RUNTIMES) == "the engine has no runtime kata; it has runc, runsc"
    assert runtime_problem("kata", ()) == "the engine has no runtime kata; it has none that it names"


@pytest.mark.parametrize(
    ("runtime", "joins"),
    [
        ("", True),
        ("runc", True),
        ("nvidia", True),
        ("io.containerd.runc.v2", True),
        ("runsc", False),
        ("kata-runtime", False),
        ("io.containerd.kata.v2", False),
        ("sysbox-runc", False),
    ],
)
def test_runtimes_with_a_kernel_or_users_of_their_own_join_no_namespace(runtime: str, *, joins: bool) -> None:
    assert joins_namespaces(runtime) is joins
