"""The other services as health components: which variable names them, and what another chain means."""

from typing import Any

import pytest
from workerpool_core.composition import dependencies
from workerpool_core.composition.dependencies import RegistryProbe, dependency
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.chain.config_client import ConfigServerUnreachable
from workerpool_kit.dependencies.report import DependencyProblem
from workerpool_kit.process import StartupError

from services.core.tests.doubles.settings import load

CHAIN = ChainConfig(134, True, "http://node", "0x" + "11" * 20, 5.0)


@pytest.mark.parametrize(
    ("environ", "variable", "address"),
    [
        ({}, "IEXEC_CORE_CHAIN_ADAPTER_HOST, IEXEC_CORE_CHAIN_ADAPTER_PORT", "http://localhost:13010"),
        (
            {"IEXEC_CORE_CHAIN_ADAPTER_URL": "http://127.0.0.1:1"},
            "IEXEC_CORE_CHAIN_ADAPTER_URL",
            "http://127.0.0.1:1",
        ),
    ],
)
def test_the_variable_that_names_a_service_is_known(
    environ: dict[str, str], variable: str, address: str
) -> None:
    found = dependency(load(environ), "adapter", "chain_adapter", "chain adapter")
    assert (found.variable, found.address) == (variable, address)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (CHAIN, None),
        (ChainConfig(1, True, "http://node", CHAIN.hub_address, 5.0), "now names chain 1"),
        (ConfigServerUnreachable("it does not answer"), "does not answer"),
        (StartupError("no usable chain configuration"), "no usable"),
    ],
)
async def test_a_config_server_is_compared_with_the_start(
    monkeypatch: pytest.MonkeyPatch, answer: Any, words: str | None
) -> None:
    async def ask(url: str, source: str) -> ChainConfig:
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, ChainConfig)
        return answer

    monkeypatch.setattr(dependencies, "ask_chain_config", ask)
    registry = RegistryProbe("http://registry:8888")
    registry.chain = CHAIN
    if words is None:
        await registry.probe()
        return
    with pytest.raises(DependencyProblem, match=words):
        await registry.probe()
