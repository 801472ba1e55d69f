"""The composition root of the registry."""

from contextlib import AsyncExitStack

from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.process import Lifetime, StartupError
from workerpool_kit.serving import new_grpc_server, open_grpc, open_http
from workerpool_protocol.registry.v1 import config_service_pb2_grpc, platform_service_pb2_grpc

from workerpool_registry.api import config_service, http_routes, platform_service
from workerpool_registry.app.platform import Platform
from workerpool_registry.app.ports import PropertyFileError
from workerpool_registry.settings import RegistrySettings


async def serve(settings: RegistrySettings, lifetime: Lifetime) -> None:
    """Serve the chain configuration and the stacks until the process must stop. Raises StartupError."""
    chain, platform, health = chain_config(settings), open_platform(settings), Health()
    async with AsyncExitStack() as cleanup:
        routes = http_routes.routes(chain, platform)
        http = await open_http(settings, health, cleanup, routes=routes, for_browsers=True)
        await open_grpc(grpc_server(settings, chain, platform), settings, health, http, cleanup)
        lifetime.spawn(platform.follow(settings.refresh_interval_s), "platform files")
        health.set("registry", True)
        await lifetime.stopped()


def chain_config(settings: RegistrySettings) -> ChainConfig:
    """Return the chain configuration in the settings."""
    return ChainConfig(
        chain_id=settings.chain_id,
        sidechain=settings.sidechain,
        node_url=settings.node_url,
        hub_address=settings.hub_address,
        block_time_s=settings.block_time_s,
    )


def open_platform(settings: RegistrySettings) -> Platform:
    """Return the loaded platform registry. Raises StartupError with each bad file and line."""
    if settings.platform_dir is None:
        return Platform(None)
    if not settings.platform_dir.is_dir():
        raise StartupError(
            f"IEXEC_PLATFORM_REGISTRY_DIR: {settings.platform_dir} is not a folder; create it or correct the variable"
        )
    # Import PyYAML only when there are files to read.
    from workerpool_registry.adapters.property_folder import PropertyFolder

    platform = Platform(PropertyFolder(settings.platform_dir))
    try:
        platform.load()
    except PropertyFileError as error:
        problems = "; ".join(f"{settings.platform_dir}/{problem}" for problem in error.problems)
        raise StartupError(
            f"the platform registry cannot use these lines; correct them: {problems}"
        ) from error
    except OSError as error:
        raise StartupError(f"IEXEC_PLATFORM_REGISTRY_DIR cannot be read: {error}") from error
    return platform


def grpc_server(settings: RegistrySettings, chain: ChainConfig, platform: Platform) -> GrpcServer:
    """Return the gRPC server with both public services."""
    server = new_grpc_server(settings, policy=config_service.POLICY | platform_service.POLICY)
    server.add(
        config_service_pb2_grpc.add_ConfigServiceServicer_to_server,
        config_service.ConfigServicer(chain),
        config_service.SERVICE,
    )
    server.add(
        platform_service_pb2_grpc.add_PlatformServiceServicer_to_server,
        platform_service.PlatformServicer(platform),
        platform_service.SERVICE,
    )
    return server
