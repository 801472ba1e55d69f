"""The archive rules of each result proxy, as it reports them."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields

from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES, ArchiveRules
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb

log = get_logger()

FRESH_S = 300.0
"""Seconds after which rules are requested again."""
_RETRY_S = 10.0
_MOST = ArchiveRules(
    max_archive_bytes=1 << 40,
    max_unpacked_bytes=1 << 42,
    max_entries=50_000,
    max_depth=256,
    max_name_bytes=255,
    max_path_bytes=4_096,
    max_computed_bytes=16 << 20,
    max_computed_depth=256,
)
"""What this worker can handle in bounded memory, whatever a proxy allows."""


def rules_of(message: pb.ArchiveRules) -> ArchiveRules:
    """Return the rules of a message; an absent limit is the default one."""
    sent = {field.name: getattr(message, field.name) for field in fields(ArchiveRules)}
    return ArchiveRules(
        **{
            name: min(value or getattr(DEFAULT_RULES, name), getattr(_MOST, name))
            for name, value in sent.items()
        }
    )


@dataclass(slots=True)
class _Known:
    rules: ArchiveRules
    until: float


class ProxyRules:
    """Remembers the rules of each proxy. A proxy that does not answer keeps its last rules, at first the defaults."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, _Known] = {}

    async def of(
        self,
        proxy_url: str,
        ask: Callable[[], Awaitable[pb.GetArchiveRulesResponse]],
        troubles: tuple[type[Exception], ...],
    ) -> ArchiveRules:
        """Return the rules of a proxy; `ask` requests them and may raise one of `troubles`."""
        known = self._known.get(proxy_url)
        if known is not None and self._clock() < known.until:
            return known.rules
        try:
            rules, keep_s = rules_of((await ask()).rules), FRESH_S
        except troubles as problem:
            rules, keep_s = known.rules if known else DEFAULT_RULES, _RETRY_S
            log.warning("archive_rules.read_failed", proxy=proxy_url, error=str(problem), retry_s=_RETRY_S)
        self._known[proxy_url] = _Known(rules, self._clock() + keep_s)
        return rules
