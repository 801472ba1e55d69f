"""One network for all apps of a host: open to the internet, closed to the host, its networks and other apps."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from workerpool_kit.logs import get_logger
from workerpool_kit.runtime.tasks import start_task

from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.network.cleanup import APPS, NETWORK_LABEL, remove_network
from workerpool_worker.adapters.docker.network.probe import NetworkProbe
from workerpool_worker.adapters.docker.sandboxes import Sandboxes
from workerpool_worker.adapters.nftables import Nftables
from workerpool_worker.adapters.shared_use import SharedUse
from workerpool_worker.domain.containers.app_network import AppNetworkRules
from workerpool_worker.errors import (
    AppNetworkUnsafe,
    DockerUnavailable,
    EngineFailure,
    EngineRefused,
    FirewallUnavailable,
)

log = get_logger()

_BRIDGE_NAME = "com.docker.network.bridge.name"
_CHECK_INTERVAL_S = 2.0
_CLOSE_LIMIT_S = 5.0


class IsolatedNetwork:
    """Implements `AppNetwork`. Workers of one host with equal rules share one Docker network and its rules."""

    def __init__(
        self,
        connection: DockerConnection,
        rules: AppNetworkRules,
        *,
        probe: NetworkProbe | None,
        rules_file: Path,
        shared: SharedUse,
        worker: str,
        sandbox_image: str = "",
        in_sandboxes: bool = True,
        on_safety: Callable[[str], None] = lambda reason: None,
        label: str = APPS,
    ) -> None:
        """Store the arguments; nothing is opened or changed yet.

        Args:
            connection: connection to the engine, closed by the caller.
            rules: what apps may reach.
            probe: proves from a container that the rules hold; needed where this process cannot set them.
            rules_file: where to write the rules for an operator who must set them by hand.
            shared: counts the workers of this host that use the network, so that the last one removes it.
            worker: wallet address of the worker, the label of its sandboxes.
            sandbox_image: image with a shell, if the engine runs on another host.
            in_sandboxes: whether apps join the namespaces of sandboxes; their runtime must support it.
            on_safety: called with the reason when the rules are lost, and with an empty text when they hold again.
            label: value of the Docker label by which unused networks are found.
        """
        self.mode = rules.network
        self._connection, self._rules = connection, rules
        self._probe, self._rules_file, self._on_safety = probe, rules_file, on_safety
        self._firewall: Nftables | None = None
        self._shared = shared
        self._worker, self._sandbox_image = worker, sandbox_image
        self._in_sandboxes = in_sandboxes
        self._sandboxes: Sandboxes | None = None
        self._label = label
        self._users = 0
        self._checked_at = 0.0
        self._checking = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Create the network and its rules, and prove them. Raises `AppNetworkUnsafe` or `DockerUnavailable`."""
        async with self._shared.changing():
            self._shared.join()
            try:
                why_not = await self._set_rules()
                if why_not and self._probe is None:
                    raise AppNetworkUnsafe(await self._advice(why_not))
                if self._probe is not None and (answering := await self._probe.answering(self.mode)):
                    reached = f"an app reaches {', '.join(answering)}"
                    raise AppNetworkUnsafe(
                        await self._advice(f"{why_not}; {reached}" if why_not else reached)
                    )
            except BaseException:
                # Even a start that SIGTERM interrupts leaves no network, no rules and no claim on them.
                await self._leave()
                raise
        image = self._sandbox_image if why_not else ""
        self._sandboxes = Sandboxes(self._connection, self._worker, self.mode, image)
        log.info("network.opened", network=self.mode, rules_set_by="operator" if why_not else "worker")

    async def close(self) -> None:
        """Remove the network and its rules unless another worker or a container of this host uses them.

        A hanging engine does not delay the end of the worker: the next start on this host removes the rest.
        """
        try:
            async with asyncio.timeout(_CLOSE_LIMIT_S):
                if self._sandboxes is not None:
                    with suppress(EngineFailure):
                        await self._sandboxes.remove_idle()
                async with self._shared.changing():
                    await self._leave()
        except TimeoutError:
            log.warning(
                "network.removal_failed", network=self.mode, error="the engine does not answer in time"
            )

    @asynccontextmanager
    async def place(self, name: str = "") -> AsyncIterator[str]:
        """Yield a separate network namespace for the container `name`. Raises `DockerUnavailable`."""
        await self.ensure()
        if self._sandboxes is None:
            raise DockerUnavailable(f"the network {self.mode} is not open")
        if not self._in_sandboxes:
            yield self.mode
            return
        async with self._sandboxes.reserved(name) as mode:
            yield mode

    def joined(self, container: str, mode: str) -> None:
        """Record that a container was created in the namespace of a sandbox."""
        if self._sandboxes is not None:
            self._sandboxes.joined(container, mode)

    def left(self, container: str) -> None:
        """Record that a container has ended or was removed, so that another may use its sandbox."""
        if self._sandboxes is not None:
            self._sandboxes.left(container)

    async def ensure(self) -> None:
        """Restore the network and the rules if they are lost. Raises `DockerUnavailable`."""
        async with self._checking:
            if time.monotonic() - self._checked_at < _CHECK_INTERVAL_S:
                return
            await self._create_network()
            if self._firewall is not None and not await self._firewall.holds():
                log.warning("firewall.rules_lost", network=self.mode)
                try:
                    await self._firewall.apply()
                except FirewallUnavailable as problem:
                    reason = (
                        f"the firewall rules of {self.mode} are lost and cannot be set: {problem.message}"
                    )
                    self._on_safety(reason)
                    raise DockerUnavailable(reason) from problem
                log.warning("firewall.rules_restored", network=self.mode)
                self._on_safety("")
            self._checked_at = time.monotonic()

    def forget_check(self) -> None:
        """Make the next `ensure` check engine and kernel, even if the last check was recent."""
        self._checked_at = 0.0

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[None]:
        """Restore the rules within seconds if they are lost while the block runs."""
        self._users += 1
        if self._watching is None:
            self._watching = start_task(self._watch(), name="app-network")
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._watching.cancel()
                self._watching = None

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_CHECK_INTERVAL_S)
            with suppress(EngineFailure):
                await self.ensure()

    async def _set_rules(self) -> str:
        """Set the rules before the network exists. Return why this process cannot, or an empty text."""
        firewall = Nftables(self._rules)
        try:
            await firewall.apply()
        except FirewallUnavailable as problem:
            await self._create_network()
            return problem.message
        # Recorded before the network is created, so that a failure removes the rules.
        self._firewall = firewall
        await self._create_network()
        if not self._connection.is_local or self._rules.bridge not in _interfaces():
            await firewall.remove()
            self._firewall = None
            return "the Docker engine runs on another host or in another network namespace"
        self._checked_at = time.monotonic()
        return ""

    async def _create_network(self) -> None:
        def create(api: Any) -> dict[str, Any]:
            found = api.networks(names=[self.mode])
            exact = [network for network in found if network["Name"] == self.mode]
            if not exact:
                api.create_network(
                    self.mode,
                    driver="bridge",
                    check_duplicate=True,
                    enable_ipv6=False,
                    options={
                        _BRIDGE_NAME: self._rules.bridge,
                        "com.docker.network.bridge.enable_icc": "false",
                    },
                    labels={NETWORK_LABEL: self._label},
                )
                exact = api.networks(names=[self.mode])
            network: dict[str, Any] = exact[0]
            return network

        try:
            network = await self._connection.call(create)
        except EngineRefused as refusal:
            raise DockerUnavailable(
                f"the network {self.mode} cannot be created: {refusal.message}"
            ) from refusal
        if (network.get("Options") or {}).get(_BRIDGE_NAME) != self._rules.bridge:
            raise DockerUnavailable(
                f"the Docker network {self.mode} has another bridge than {self._rules.bridge}, so no rule "
                f"holds for it; remove it with 'docker network rm {self.mode}'"
            )

    async def _leave(self) -> None:
        """Remove the network and the rules unless another worker or a container uses them."""
        if not self._shared.leave() or not await remove_network(self._connection, self.mode):
            return
        if self._firewall is not None:
            await self._firewall.remove()

    async def _advice(self, why_not: str) -> str:
        path = self._rules_file
        await asyncio.to_thread(path.write_text, self._rules.ruleset(bridge_frames=False))
        return (
            f"apps would reach this host and its networks: {why_not}. Run the worker as root on the host of the Docker "
            f"engine with nftables installed; or run 'nft -f {path}' there and set "
            "WORKERPOOL_WORKER_NETWORK_PROBE_IMAGE to an image with sh, nc and timeout, such as busybox; or set "
            "WORKERPOOL_WORKER_APP_NETWORK to 'none' for apps without network, or to 'bridge' if the apps may reach "
            "your networks"
        )


def _interfaces() -> set[str]:
    """Return the network interfaces in the network namespace of this process."""
    return {name for _, name in socket.if_nameindex()}
