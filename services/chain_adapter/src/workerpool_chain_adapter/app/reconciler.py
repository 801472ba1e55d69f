"""Reconciliation of commands with the chain before they are sent, and the record of their end."""

from collections.abc import Sequence
from dataclasses import replace

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger

from workerpool_chain_adapter import metrics
from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.app.assessor import Assessor
from workerpool_chain_adapter.domain.assessment import Impossible, InEffect, Verdict
from workerpool_chain_adapter.domain.command import FINAL_STATES, Command, CommandKind, CommandState

log = get_logger()

MAX_REVERTS = 5
"""Transactions without effect after which a command fails."""
# Prometheus sees no increase in a series that starts at 1, so each series exists before its first command.
for _kind in CommandKind:
    for _state in FINAL_STATES:
        metrics.COMMANDS.labels(_kind, _state)


class Reconciler:
    """The updates of commands to the state that the chain proves."""

    def __init__(self, active: ActiveCommands, assessor: Assessor, clock: Clock) -> None:
        self._active = active
        self._assessor = assessor
        self._clock = clock

    async def reconcile(self, commands: Sequence[Command]) -> None:
        """End waiting commands that are in effect (SUCCESS) or impossible (FAILURE); the others keep waiting.

        A command with `MAX_REVERTS` transactions without effect fails too. Raises ChainUnreachable before any change.
        """
        if not commands:
            return
        verdicts = await self._assessor.assess(commands)
        ended = [self._ended(each, verdict) for each, verdict in zip(commands, verdicts, strict=True)]
        await self.record([each for each in ended if each is not None])

    async def refuse(self, commands: Sequence[Command], problem: str) -> None:
        """Fail commands that the rules allow but the node refuses, with its message."""
        text = f"the contract's rules allow it, but the node predicts a revert: {problem}; check the node"
        now = self._clock.now()
        await self.record([each.failed(now, "TRANSACTION_WOULD_REVERT", text) for each in commands])

    async def record(self, commands: Sequence[Command]) -> None:
        """Show and journal changed commands; count and log those that ended."""
        now = self._clock.now()
        for command in commands:
            if command.is_final:
                self._assessor.forget([command.key])
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

    def _ended(self, command: Command, verdict: Verdict) -> Command | None:
        now = self._clock.now()
        if isinstance(verdict, InEffect):
            return replace(command.succeeded(now), transaction_hash="")
        if isinstance(verdict, Impossible):
            return command.failed(now, verdict.reason, verdict.message)
        if command.reverts >= MAX_REVERTS:
            text = f"{command.reverts} transactions had no effect; request the command again to restart it"
            return command.failed(now, "TRANSACTION_REVERTED", text)
        return None
