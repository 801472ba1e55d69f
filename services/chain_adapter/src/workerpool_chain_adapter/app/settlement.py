"""Commands whose fate only the chain knows: after a revert, a lost transaction, a restart."""

from collections.abc import Sequence
from dataclasses import replace

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger

from workerpool_chain_adapter import metrics
from workerpool_chain_adapter.adapters.hub_chain import OwnerChain
from workerpool_chain_adapter.app.active_commands import Board
from workerpool_chain_adapter.domain.assessment import Impossible, InEffect, Verdict, assess
from workerpool_chain_adapter.domain.command import Command, CommandState

log = get_logger()

MOST_ATTEMPTS = 5
"""Transactions spent on one command before it fails."""


class Settlement:
    """Reads the chain and moves commands to the state it proves."""

    def __init__(self, board: Board, chain: OwnerChain, clock: Clock) -> None:
        self._board = board
        self._chain = chain
        self._clock = clock

    async def settle(self, commands: Sequence[Command], *, refusal: str = "") -> None:
        """End the commands that are in effect (SUCCESS) or impossible (FAILURE); the others wait to be sent again.

        `refusal` is the node's word against commands the rules allow; these fail with it, and so does a command
        that was sent too often. Raises ChainUnreachable, and then nothing has changed.
        """
        if not commands:
            return
        situations = await self._chain.situations(commands)
        settled = [
            self._after(command, assess(command, at), refusal)
            for command, at in zip(commands, situations, strict=True)
        ]
        await self.record(settled)

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
        await self._board.record(*commands)

    def _after(self, command: Command, verdict: Verdict, refusal: str) -> Command:
        now = self._clock.now()
        if isinstance(verdict, InEffect):
            return replace(command.succeeded(now), transaction_hash="")
        if isinstance(verdict, Impossible):
            return command.failed(now, verdict.reason, verdict.message)
        if refusal:
            text = f"the rules allow it, but the node says it would revert: {refusal}"
            return command.failed(now, "TRANSACTION_WOULD_REVERT", text)
        if command.attempts >= MOST_ATTEMPTS:
            text = f"{command.attempts} transactions did not bring the effect; ask again to start anew"
            return command.failed(now, "TRANSACTION_REVERTED", text)
        return command if command.state is CommandState.RECEIVED else command.requeued(now)
