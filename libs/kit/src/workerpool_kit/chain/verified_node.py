"""A blockchain node as a dependency: checked until it serves the configured chain, then probed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from workerpool_kit.dependencies.report import UNREACHABLE, WRONG, DependencyProblem, DependencyReport
from workerpool_kit.logs import get_logger
from workerpool_kit.process import StartupError
from workerpool_kit.retry import Backoff

T = TypeVar("T")
log = get_logger()

_BACKOFF = Backoff(first_s=0.5, longest_s=2.0)
_PROBE_EVERY_S = 3.0
LIMIT_S = 10.0
"""A node that answers nothing for this time is unreachable: the time limit of each read of the hub client.

A shorter one would refuse reads that a slow node, or this process on a busy machine, still answers.
"""


@dataclass(frozen=True, slots=True)
class NodeErrors:
    """The errors of a hub client, which this library does not know."""

    any: type[Exception]
    """Every error of the client."""
    wrong_chain: type[Exception]
    """The node serves another chain."""
    no_hub: type[Exception]
    """The hub does not exist on the configured chain."""


class VerifiedNode:
    """Checks that a node serves the configured chain and hub. Run `watch` in the background."""

    def __init__(
        self,
        report: DependencyReport,
        *,
        connect: Callable[[], Awaitable[object]],
        probe: Callable[[], Awaitable[object]],
        errors: NodeErrors,
        limit_s: float = LIMIT_S,
    ) -> None:
        """Store the callbacks.

        Args:
            report: shows whether the node can be used.
            connect: verifies chain and hub.
            probe: sends any request to a verified node.
            errors: the errors of both.
            limit_s: seconds without an answer to a probe or a read after which a node is unreachable.
        """
        self._report = report
        self._connect = connect
        self._probe = probe
        self._errors = errors
        self._limit_s = limit_s
        self._answers = 0
        """Reads that the node has answered."""
        self.verified = False
        """Whether the node was verified and answers."""

    async def watch(self) -> None:
        """Connect, and keep the report up to date until cancelled.

        A node that is unreachable or serves another chain is retried with backoff, and verified again when it returns:
        another one may have replaced it. Raises `StartupError` when the hub does not exist on the configured chain.
        """
        outage = _BACKOFF.steps()
        while True:
            answers = self._answers
            try:
                async with asyncio.timeout(self._limit_s):
                    await (self._probe() if self.verified else self._connect())
            except self._errors.no_hub as wrong:
                raise StartupError(
                    f"{wrong}: check IEXEC_BLOCKCHAIN_NODE_ADDRESS, IEXEC_CHAIN_ID and IEXEC_HUB_ADDRESS"
                ) from wrong
            except (self._errors.any, TimeoutError) as error:
                if self.verified and isinstance(error, TimeoutError) and self._answers > answers:
                    # It answered others meanwhile: it is slow, not away.
                    continue
                self.verified = False
                kind = WRONG if isinstance(error, self._errors.wrong_chain) else UNREACHABLE
                self._report.fails(DependencyProblem(str(error) or "the node does not answer", kind=kind))
                await outage.sleep()
            else:
                if not self.verified:
                    log.info("chain.connected", node=self._report.address)
                self.verified = True
                self._report.works()
                outage.reset()
                await asyncio.sleep(_PROBE_EVERY_S)

    async def read(self, reading: Awaitable[T], unreachable: Callable[[str], Exception]) -> T:
        """Return what the client reads; raise `unreachable` with a sentence while the node is not verified or fails."""
        if not self.verified:
            if asyncio.iscoroutine(reading):
                reading.close()
            raise unreachable("the blockchain node does not answer yet; try again later")
        try:
            value = await reading
        except self._errors.any as error:
            log.warning("chain.read_failed", error=str(error))
            raise unreachable("the blockchain node does not answer; try again later") from error
        self._answers += 1
        return value
