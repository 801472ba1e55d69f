"""`eth_sendRawTransaction` of a sequencer: it executes transactions in nonce order and keeps none."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from eth_utils.crypto import keccak

from sequencer import errors
from sequencer.behaviour import Behaviour
from sequencer.blocks import Blocks
from sequencer.transactions import Sent, read
from sequencer.upstream import Upstream

_SEQUENCING_LIMIT_S = 12.0
"""Time after which Nitro gives up on a transaction."""
_LOOK_S = 0.05


class Sending:
    """Answers sends as the behaviour says; `counts` tells what became of them."""

    def __init__(
        self, node: Upstream, blocks: Blocks, behaviour: Callable[[], Behaviour], chance: random.Random
    ) -> None:
        self._node = node
        self._blocks = blocks
        self._behaviour = behaviour
        self._chance = chance
        self.counts: Counter[str] = Counter()

    async def send(self, raw: str) -> str:
        """Return the hash of a transaction; raises `RpcError` for one that is refused."""
        behaviour = self._behaviour()
        if self._happens(behaviour.deadline_probability):
            self.counts["deadline exceeded"] += 1
            await asyncio.sleep(self._chance.uniform(0, min(behaviour.late_s, _SEQUENCING_LIMIT_S)))
            raise errors.deadline_exceeded()
        if self._happens(behaviour.drop_probability):
            self.counts["dropped"] += 1
            return "0x" + keccak(hexstr=raw).hex()
        name = await self._execute(raw, behaviour)
        self.counts["executed"] += 1
        if self._happens(behaviour.late_probability):
            self.counts["late"] += 1
            await asyncio.sleep(self._chance.uniform(0, behaviour.late_s))
        return name

    async def _execute(self, raw: str, behaviour: Behaviour) -> str:
        if not behaviour.sequenced:
            return str(await self._node.call("eth_sendRawTransaction", raw))
        try:
            sent = read(raw)
        except Exception as error:
            raise errors.RpcError(-32000, f"typed transaction too short: {error}") from error
        name = await self._admit(raw, sent, behaviour)
        deadline = asyncio.get_running_loop().time() + _SEQUENCING_LIMIT_S
        while await self._receipt(name) is None:
            if asyncio.get_running_loop().time() > deadline:
                self.counts["deadline exceeded"] += 1
                raise errors.deadline_exceeded()
            await self._blocks.next_block(timeout=1.0)
        return name

    async def _admit(self, raw: str, sent: Sent, behaviour: Behaviour) -> str:
        """Hand a transaction to anvil once its nonce is the next one; a gap is waited for."""
        until = asyncio.get_running_loop().time() + behaviour.gap_hold_s
        while True:
            async with self._blocks.filling:
                fee = self._blocks.base_fee
                if sent.max_fee < fee:
                    self.counts["fee too low"] += 1
                    raise errors.fee_too_low(sent.sender, sent.max_fee, fee)
                expected = await self._node.number("eth_getTransactionCount", sent.sender, "pending")
                if sent.nonce < expected:
                    self.counts["nonce too low"] += 1
                    raise errors.nonce_too_low(sent.sender, sent.nonce, expected)
                if sent.nonce == expected:
                    return str(await self._node.call("eth_sendRawTransaction", raw))
            if asyncio.get_running_loop().time() > until:
                self.counts["nonce too high"] += 1
                raise errors.nonce_too_high(sent.sender, sent.nonce, expected)
            await asyncio.sleep(_LOOK_S)

    async def _receipt(self, name: str) -> Any:
        return await self._node.call("eth_getTransactionReceipt", name)

    def _happens(self, probability: float) -> bool:
        return self._chance.random() < probability
