"""The chain configuration that every process of a pool works with."""

import re
from dataclasses import dataclass

MIN_BLOCK_TIME_S, MAX_BLOCK_TIME_S = 0.1, 20.0
"""Block times that the stack accepts (config server documentation: 100 ms to 20 s)."""

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """The chain that a pool works on."""

    chain_id: int
    """EIP-155 chain id."""
    sidechain: bool
    """True on an iExec sidechain, where gas costs nothing."""
    node_url: str
    """JSON-RPC address of a node that workers can reach, http(s) or ws(s)."""
    hub_address: str
    """Address of the IexecHub contract: 0x and 40 hexadecimal digits."""
    block_time_s: float
    """Seconds between two blocks, 0.1 to 20."""

    def problem(self) -> str:
        """Return why the configuration cannot be used, an empty string when it can."""
        if self.chain_id <= 0:
            return f"the chain id is {self.chain_id}"
        if not _ADDRESS.fullmatch(self.hub_address):
            return f"the hub address is {self.hub_address!r}"
        if not MIN_BLOCK_TIME_S <= self.block_time_s <= MAX_BLOCK_TIME_S:
            return f"the block time is {self.block_time_s:g} s"
        return ""
