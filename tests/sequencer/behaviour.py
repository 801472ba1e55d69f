"""Every behaviour of the proxy as a switch, and the shapes made of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sequencer.errors import LOG_WORDS


def _switch(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What the proxy does. Without any switch it passes everything through. Probabilities are 0 to 1."""

    # --- sending ---
    sequenced: bool = _switch(False, "a send is answered once the transaction is in a block; no mempool")
    block_time_s: float = _switch(
        0.0, "take over mining: a block after this time, only with transactions; 0 leaves mining to anvil"
    )
    base_fee_wei: int = _switch(
        0, "base fee of each block that the proxy mines; a send below it is refused; 0 changes no fee"
    )
    spike_probability: float = _switch(0.0, "share of the block times in which the base fee is raised")
    spike_percent: int = _switch(40, "height of a raised base fee above the normal one")
    gap_hold_s: float = _switch(
        1.0, "time that a send waits for the nonces below it, before 'nonce too high'"
    )
    late_probability: float = _switch(0.0, "share of the sends that are executed and answered late")
    late_s: float = _switch(12.0, "latest answer to a late send")
    deadline_probability: float = _switch(
        0.0, "share of the sends that are answered 'context deadline exceeded' and not executed"
    )
    drop_probability: float = _switch(0.0, "share of the sends that are accepted, then dropped")

    # --- reading ---
    pending_is_latest: bool = _switch(False, "the pending count and block are the latest ones")
    price_is_base_fee: bool = _switch(False, "the gas price is the newest base fee, and no tip is suggested")
    gas_limit_sentinel: bool = _switch(False, "each block announces a gas limit of 2^50")
    extra_fields: bool = _switch(
        False, "Nitro's fields of headers and receipts, its first transaction of a block"
    )
    websocket: bool = _switch(True, "WebSocket connections are relayed; else refused")
    filters: bool = _switch(True, "filters and subscriptions exist")
    serial_batches: bool = _switch(False, "the calls of a batch run one after the other")
    log_range: int = _switch(0, "most blocks of one eth_getLogs; 0 is no limit")
    log_words: str = _switch("range", "words of the refusal of a longer range: see `--list-log-words`")

    # --- bad nodes ---
    calls_per_second: float = _switch(0.0, "HTTP 429 above this rate; 0 is no limit")
    retry_after_s: float = _switch(-1.0, "Retry-After of a 429; below 0 it has none")
    too_many_probability: float = _switch(0.0, "share of the requests that are answered with HTTP 429")
    compute_units_probability: float = _switch(0.0, "share of the calls that lack compute units")
    null_receipt_probability: float = _switch(0.0, "share of the receipts that are null although mined")
    pending_receipt_probability: float = _switch(0.0, "share of the receipts whose block is null")
    null_gas_price_probability: float = _switch(0.0, "share of the gas prices that are null")
    truncated_probability: float = _switch(0.0, "share of the answers whose JSON ends early; executed")
    bad_gateway_probability: float = _switch(0.0, "share of the requests that are answered with HTTP 502")
    cut_probability: float = _switch(0.0, "share of the connections that are cut before the answer; executed")
    html_probability: float = _switch(0.0, "share of the requests that are answered with a page of HTML")
    silent_probability: float = _switch(
        0.0, "share of the requests that get no answer before the client leaves"
    )
    stale_revert_probability: float = _switch(0.0, "share of the gas estimates that revert without a reason")
    lag_blocks: int = _switch(0, "age in blocks of the head of the back-end that lags")
    lag_probability: float = _switch(1.0, "share of the requests that the lagging back-end answers")

    def changed(self, changes: Mapping[str, Any]) -> Behaviour:
        """Return the behaviour with other values; raises `ValueError` for an unknown name or a wrong type."""
        types = {switch.name: type(switch.default) for switch in dataclasses.fields(self)}
        for name, value in changes.items():
            if name not in types:
                raise ValueError(f"there is no behaviour {name}")
            number = types[name] is float and type(value) is int
            if type(value) is not types[name] and not number:
                raise ValueError(f"{name} is a {types[name].__name__}, not {value!r}")
            if name == "log_words" and value not in LOG_WORDS:
                raise ValueError(f"log_words is one of {', '.join(LOG_WORDS)}, not {value}")
        return dataclasses.replace(self, **changes)


MEMPOOL = Behaviour()
"""A mempool chain, and a free chain: anvil itself."""
SEQUENCER = Behaviour(
    sequenced=True,
    block_time_s=0.25,
    base_fee_wei=100_000_000,
    pending_is_latest=True,
    price_is_base_fee=True,
    gas_limit_sentinel=True,
    extra_fields=True,
    websocket=False,
    filters=False,
    serial_batches=True,
    log_range=10_000,
)
"""An Arbitrum chain behind a public node."""
SHAPES = {"mempool": MEMPOOL, "sequencer": SEQUENCER, "free": MEMPOOL}
"""Name → behaviour of a chain's shape; the free chain is anvil with free gas."""
