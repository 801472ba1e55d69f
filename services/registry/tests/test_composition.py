"""The wiring: settings to values, a bad folder ends the start, both sides serve until the stop."""

import asyncio
from pathlib import Path

import http_calls
import pytest
from patience import PATIENCE_S
from workerpool_devnet.processes.ports import free_service_ports
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.chain.config_client import read_chain_config
from workerpool_kit.process import Lifetime, StartupError
from workerpool_kit.settings.environment import load
from workerpool_registry.composition import chain_config, open_platform, serve
from workerpool_registry.settings import RegistrySettings

BELLECOUR = ChainConfig(
    134, True, "https://bellecour.iex.ec", "0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f", 5.0
)


def settings(**environ: str) -> RegistrySettings:
    return load(RegistrySettings, environ)


def test_default_chain_is_bellecour() -> None:
    assert chain_config(settings()) == BELLECOUR


def test_missing_folder_is_named_with_its_variable(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"IEXEC_PLATFORM_REGISTRY_DIR: .* is not a folder"):
        open_platform(settings(IEXEC_PLATFORM_REGISTRY_DIR=str(tmp_path / "gone")))


def test_bad_line_is_named_with_folder_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "application.yml").write_text("sms:\n  scone2: http://a:1\n")
    with pytest.raises(StartupError, match=rf"{tmp_path}/application\.yml:2: sms\.scone2: no such TEE"):
        open_platform(settings(IEXEC_PLATFORM_REGISTRY_DIR=str(tmp_path)))


def test_without_a_folder_no_stack_is_known() -> None:
    assert open_platform(settings()).files("prod") == []


async def test_both_sides_serve_until_the_stop(tmp_path: Path) -> None:
    ports, lifetime = free_service_ports(), Lifetime()
    url = f"http://127.0.0.1:{ports.http}"
    environ = {"IEXEC_CONFIG_SERVER_PORT": str(ports.http), "IEXEC_PLATFORM_REGISTRY_DIR": str(tmp_path)}
    async with asyncio.timeout(PATIENCE_S):
        serving = asyncio.ensure_future(serve(load(RegistrySettings, environ), lifetime))
        assert await read_chain_config(url, source="the test") == BELLECOUR
        assert (await http_calls.get(f"{url}/actuator/health")).json()["status"] == "UP"
        lifetime.stop("the test is over")
        await serving
        await lifetime.cancel_spawned()
