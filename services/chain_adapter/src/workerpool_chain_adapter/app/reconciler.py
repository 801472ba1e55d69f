"""Reconcile commands with the chain after a revert, a lost transaction or a restart."""

from collections.abc import Sequence
from dataclasses import replace

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger

from workerpool_chain_adapter import metrics
from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.app.ports import WalletChain
from workerpool_chain_adapter.domain.assessment import Impossible, InEffect, Verdict, assess
from workerpool_chain_adapter.domain.command import Command, CommandState

log = get_logger()

MAX_ATTEMPTS = 5
"""Transactions spent on one command before it fails."""


class Reconciler:
    """Moves commands to the state that the chain proves."""

    def __init__(self, active: ActiveCommands, chain: WalletChain, clock: Clock) -> None:
        self._active = active
        self._chain = chain
        self._clock = clock

    async def reconcile(self, commands: Sequence[Command], *, refusal: str = "") -> None:
        """End commands that are in effect (SUCCESS) or impossible (FAILURE); requeue the others.

        `refusal` is the node's text when it predicts a revert of commands that the rules allow: these fail. A command
        that was sent `MAX_ATTEMPTS` times fails as well. Raises ChainUnreachable before anything changes.
        """
        if not commands:
            return
        snapshots = await self._chain.snapshots(commands)
        await self.record(
            [
                self._after(command, assess(command, at), refusal)
                for command, at in zip(commands, snapshots, strict=True)
            ]
        )

    async def record(self, commands: Sequence[Command]) -> None:
        """Show and journal changed commands; count and log those that ended."""
        now = self._clock.now()
        for command in commands:
            if command.is_final:
                metrics.COMMANDS.labels(command.key.kind, command.state).inc()
                metrics.EFFECT_SECONDS.observe(max(now - command.created_at, 0))
            if command.state is CommandState.SUCCESS:
                log.info(
                    "command.succeeded",
                    task=command.key.task_id,
                    kind=command.key.kind,
                    transaction=command.transaction_hash,
                    block=command.block_number,
                )
            elif command.state is CommandState.FAILURE:
                log.warning(
                    "command.failed",
                    task=command.key.task_id,
                    kind=command.key.kind,
                    reason=command.error_reason,
                    message=command.error_message,
                )
        await self._active.record(*commands)

    def _after(self, command: Command, verdict: Verdict, refusal: str) -> Command:
        now = self._clock.now()
        if isinstance(verdict, InEffect):
            return replace(command.succeeded(now), transaction_hash="")
        if isinstance(verdict, Impossible):
            return command.failed(now, verdict.reason, verdict.message)
        if refusal:
            text = f"the rules of the contract allow it, but the node predicts a revert: {refusal}"
            return command.failed(now, "TRANSACTION_WOULD_REVERT", text)
        if command.attempts >= MAX_ATTEMPTS:
            text = f"{command.attempts} transactions had no effect; request the command again to restart it"
            return command.failed(now, "TRANSACTION_REVERTED", text)
        return command if command.state is CommandState.RECEIVED else command.requeued(now)
