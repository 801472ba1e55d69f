"""No library that a service imports raises its recursion limit, which protects the C stack from deep inputs."""

import subprocess
import sys

import pytest
from workerpool_kit.runtime.recursion import RECURSION_LIMIT

SERVICES = ("core", "chain_adapter", "result_proxy", "order_publisher", "registry", "worker")


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_process_keeps_the_limit_whatever_it_imports(service: str) -> None:
    """Every module of the service is imported, and the library that raises the limit, before and after its start."""
    code = f"""
import importlib, pkgutil, sys
import workerpool_{service} as package
from workerpool_kit import process
def serve_and_check(settings, lifetime):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    import eth_keyfile
    print(sys.getrecursionlimit())
    async def end(): pass
    return end()
from workerpool_kit.settings.base import Settings
process.run_service(Settings, serve_and_check, name="{service}", about="x")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(RECURSION_LIMIT)
