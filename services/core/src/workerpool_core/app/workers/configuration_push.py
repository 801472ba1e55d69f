"""Changes of the configuration while core runs, pushed to connected workers without a restart."""

from collections.abc import Callable, Collection

from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.ids import Address

from workerpool_core.app.running import PublicConfiguration, RunningCore
from workerpool_core.app.workers.messages import ConfigurationChanged
from workerpool_core.domain.events import WhitelistChanged

log = get_logger()


class ConfigurationPush:
    """The configuration of a running core; `use_proxy` receives a new URL of the result proxy."""

    def __init__(
        self, running: RunningCore, whitelist: Collection[Address], use_proxy: Callable[[str], None]
    ) -> None:
        """Start with the configuration of `running` and the whitelist in force."""
        self._running = running
        self._whitelist = frozenset(whitelist)
        self._use_proxy = use_proxy
        running.engine.submit(WhitelistChanged(self._whitelist))

    def apply(self, configuration: PublicConfiguration, whitelist: Collection[Address]) -> None:
        """Apply a configuration and a whitelist, and notify every connected worker."""
        running, wallets = self._running, frozenset(whitelist)
        if wallets != self._whitelist:
            log.info(
                "whitelist.changed",
                wallets=len(wallets),
                added=sorted(wallets - self._whitelist),
                removed=sorted(self._whitelist - wallets),
            )
            self._whitelist = wallets
            running.login.change_whitelist(whitelist)
            running.engine.submit(WhitelistChanged(wallets))
        if configuration != running.configuration:
            log.info(
                "configuration.changed",
                result_proxy=configuration.result_proxy_url,
                hash=configuration.hash,
                workers=len(running.sessions),
            )
            running.configuration = configuration
            self._use_proxy(configuration.result_proxy_url)
            for session in running.sessions:
                session.send(ConfigurationChanged())
