"""The other services of the pool as health components, probed from the start."""

from typing import Any

from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.chain.config_client import ConfigServerUnreachable, ask_chain_config
from workerpool_kit.dependencies.grpc_service import MovableService, probe_login, probe_service
from workerpool_kit.dependencies.report import WRONG, Dependency, DependencyProblem, DependencyReport
from workerpool_kit.dependencies.watch import Probe, start_watching, watch
from workerpool_kit.grpc.client import open_service
from workerpool_kit.process import StartupError
from workerpool_kit.targets import grpc_target_of
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as adapter_pb
from workerpool_protocol.chain_adapter.v1.transaction_service_pb2_grpc import TransactionServiceStub

from workerpool_core.composition.parts import Parts
from workerpool_core.settings import CoreSettings

_ADAPTER = "workerpool.chain_adapter.v1.TransactionService"
_PROXY = "workerpool.result_proxy.v1.ResultService"
_CALL_LIMIT_S = 2.5
_REGISTRY_PERIOD_S = 5.0
_PREFIXES = {
    "chain_adapter": "IEXEC_CORE_CHAIN_ADAPTER",
    "result_proxy": "IEXEC_RESULT_REPOSITORY",
    "config_server": "IEXEC_CONFIG_SERVER",
}


def dependency(settings: CoreSettings, component: str, service: str, what: str) -> Dependency:
    """Return a service of the pool as a dependency, with the variable that an operator corrects."""
    prefix = _PREFIXES[service]
    named_by_url = getattr(settings, f"{service}_url") is not None
    variable = f"{prefix}_URL" if named_by_url else f"{prefix}_HOST, {prefix}_PORT"
    return Dependency(
        component, variable, settings.url_of(service), f"start the {what} or correct the variable"
    )


def watch_services(parts: Parts) -> "RegistryProbe":
    """Probe chain adapter, result proxy and config server until the process stops. Raises StartupError."""
    settings = parts.settings
    registry = RegistryProbe(settings.url_of("config_server"))
    _watch(parts, dependency(settings, "adapter", "chain_adapter", "chain adapter"), adapter_probe(parts))
    watch_proxy(parts)
    _watch(
        parts,
        dependency(settings, "registry", "config_server", "config server"),
        registry.probe,
        every_s=_REGISTRY_PERIOD_S,
        # gRPC and HTTP are tried in turn.
        limit_s=7.0,
    )
    return registry


def _watch(parts: Parts, what: Dependency, probe: Probe, **periods: float) -> None:
    report = DependencyReport(parts.health, what)
    start_watching(parts.lifetime, parts.stack, watch(report, probe, **periods), what.component)


def adapter_probe(parts: Parts) -> Probe:
    """Return the probe of the chain adapter's address, core's credentials and its state. Raises StartupError."""
    settings = parts.settings
    credentials = (settings.chain_adapter_username, settings.chain_adapter_password.get_secret_value())
    channel = _channel(parts, "chain_adapter", basic=credentials, target=settings.chain_adapter_grpc)
    stub: Any = TransactionServiceStub(channel)
    # The cheapest call with credentials reads one entry of an index.
    one = adapter_pb.ListCommandsRequest(page_size=1)
    variable = "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD, IEXEC_CORE_CHAIN_ADAPTER_USERNAME"

    async def probe() -> None:
        await probe_login(lambda: stub.ListCommands(one, timeout=_CALL_LIMIT_S), "chain adapter", variable)
        await probe_service(channel, _ADAPTER, "chain adapter")

    return probe


def watch_proxy(parts: Parts) -> None:
    """Probe the result proxy, whose address an operator may change while core runs. Raises StartupError."""
    settings = parts.settings
    named = dependency(settings, "proxy", "result_proxy", "result proxy")
    try:
        grpc_target_of(named.address)
    except ValueError as error:
        raise StartupError(f"{named.variable}: {error}") from error

    def url() -> str:
        running = parts.core.maybe_running
        return named.address if running is None else running.configuration.result_proxy_url

    report = DependencyReport(parts.health, named)
    service = MovableService(url, _PROXY, "result proxy", report)
    parts.stack.push_async_callback(service.close)
    start_watching(parts.lifetime, parts.stack, watch(report, service.probe), named.component)


def _channel(parts: Parts, service: str, **options: Any) -> Any:
    try:
        channel = open_service(parts.settings.url_of(service), **options)
    except ValueError as error:
        raise StartupError(f"{_PREFIXES[service]}_URL: {error}") from error
    parts.stack.push_async_callback(channel.close, None)
    return channel


class RegistryProbe:
    """The probe of the config server: it must still describe the chain that this process works on."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.chain: ChainConfig | None = None
        """The chain of this process, once it is known."""

    async def probe(self) -> None:
        """Check that the config server answers as at the start. Raises DependencyProblem."""
        try:
            found = await ask_chain_config(self._url, "IEXEC_CONFIG_SERVER_URL")
        except ConfigServerUnreachable as error:
            raise DependencyProblem(str(error)) from None
        except StartupError as error:
            raise DependencyProblem(str(error), kind=WRONG) from None
        ours = self.chain
        if ours is not None and (found.chain_id, found.hub_address) != (ours.chain_id, ours.hub_address):
            raise DependencyProblem(
                f"the config server now names chain {found.chain_id}, hub {found.hub_address}; this process works on "
                f"chain {ours.chain_id}, hub {ours.hub_address}",
                kind=WRONG,
                next_step="correct the config server, or restart every service for the other chain",
            )
