"""The test contract, compiled once; a running server that speaks it."""

import importlib.util
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from grpc_tools import protoc
from workerpool_kit.grpc.server import GrpcServer

from .echo import OPEN_POLICY, SERVICE

HERE = Path(__file__).parent
THIRD_PARTY = HERE.parents[3] / "third_party" / "protovalidate"


class Contract:
    """The generated modules of kit_test.proto."""

    def __init__(self, pb2: ModuleType, grpc: ModuleType) -> None:
        self.pb2: Any = pb2
        self.grpc: Any = grpc


@pytest.fixture(scope="session")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    folder = tmp_path_factory.mktemp("kit_test")
    well_known = Path(str(importlib.util.find_spec("grpc_tools").origin)).parent / "_proto"  # type: ignore[union-attr]
    arguments = [
        f"-I{HERE}",
        f"-I{THIRD_PARTY}",
        f"-I{well_known}",
        f"--python_out={folder}",
        f"--grpc_python_out={folder}",
    ]
    assert protoc.main(["protoc", *arguments, "kit_test.proto"]) == 0
    return Contract(_module(folder, "kit_test_pb2"), _module(folder, "kit_test_pb2_grpc"))


def _module(folder: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Serve = Callable[..., Any]


@pytest.fixture
async def serve(contract: Contract) -> AsyncIterator[Serve]:
    """Return a function that starts a server around a servicer's methods and gives the server."""
    servers: list[GrpcServer] = []

    async def start(servicer: object, **options: Any) -> GrpcServer:
        options = {"policy": OPEN_POLICY, **options}
        server = GrpcServer(0, host="127.0.0.1", **options)
        server.add(contract.grpc.add_EchoServiceServicer_to_server, servicer, SERVICE)
        await server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop(0.2)
