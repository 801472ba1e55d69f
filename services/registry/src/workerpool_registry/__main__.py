"""Entry point of the registry: ``workerpool-registry`` or ``python -m workerpool_registry``."""

from typing import NoReturn

from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.process import Lifetime, run_service, version_of
from workerpool_kit.targets import grpc_port
from workerpool_protocol.registry.v1 import config_service_pb2_grpc, platform_service_pb2_grpc

from workerpool_registry.api import grpc_side, http_side
from workerpool_registry.app.platform import Platform
from workerpool_registry.domain.catalogue import ChainConfig
from workerpool_registry.settings import RegistrySettings


async def serve(settings: RegistrySettings, lifetime: Lifetime) -> None:
    """Serve the chain configuration and the stacks until the process is asked to stop."""
    chain = ChainConfig(
        chain_id=settings.chain_id,
        sidechain=settings.sidechain,
        node_url=settings.node_url,
        hub_address=settings.hub_address,
        block_time_s=settings.block_time_s,
    )
    platform = Platform(settings.platform_dir)
    platform.load()
    lifetime.spawn(platform.follow(settings.refresh_interval_s), "platform files")

    health = Health()
    http = HttpServer(
        settings.http_port,
        health=health,
        version=version_of(RegistrySettings),
        routes=http_side.routes(chain, platform),
    )
    server = GrpcServer(grpc_port(settings.http_port, settings.grpc_port), policy=grpc_side.POLICY)
    server.add(
        config_service_pb2_grpc.add_ConfigServiceServicer_to_server,
        grpc_side.ConfigServicer(chain),
        grpc_side.CONFIG_SERVICE,
    )
    server.add(
        platform_service_pb2_grpc.add_PlatformServiceServicer_to_server,
        grpc_side.PlatformServicer(platform),
        grpc_side.PLATFORM_SERVICE,
    )
    try:
        await http.start()
        await server.start()
        health.set("registry", True)
        await lifetime.stopped()
    finally:
        await server.stop()
        await http.stop()


def main() -> NoReturn:
    """Run the registry."""
    run_service(
        RegistrySettings,
        serve,
        name="workerpool-registry",
        about="Tells the processes of a pool which chain they work on and where the platform's services are.",
    )


if __name__ == "__main__":
    main()
