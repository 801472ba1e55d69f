"""Errors that the proxy answers, in the words of real nodes and providers."""

from __future__ import annotations


class RpcError(Exception):
    """A JSON-RPC error object: code, message and, for a revert, its data."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def as_json(self) -> dict[str, object]:
        """Return the error object."""
        found: dict[str, object] = {"code": self.code, "message": self.message}
        return found if self.data is None else found | {"data": self.data}


class NodeGone(Exception):
    """anvil does not answer."""


def fee_too_low(sender: str, max_fee: int, base_fee: int) -> RpcError:
    """Return Nitro's refusal of an offer below the base fee."""
    return RpcError(
        -32000,
        f"max fee per gas less than block base fee: address {sender}, maxFeePerGas: {max_fee}, baseFee: {base_fee}",
    )


def nonce_too_high(sender: str, nonce: int, expected: int) -> RpcError:
    """Return Nitro's refusal of a nonce above the next one."""
    return RpcError(-32000, f"nonce too high: address {sender}, tx: {nonce} state: {expected}")


def nonce_too_low(sender: str, nonce: int, expected: int) -> RpcError:
    """Return Nitro's refusal of a nonce that was used."""
    return RpcError(-32000, f"nonce too low: address {sender}, tx: {nonce} state: {expected}")


def deadline_exceeded() -> RpcError:
    """Return Nitro's answer to a send that it did not sequence in time."""
    return RpcError(-32000, "context deadline exceeded")


def no_such_method(method: str) -> RpcError:
    """Return Geth's answer to a method that it lacks."""
    return RpcError(-32601, f"the method {method} does not exist/is not available")


def no_compute_units() -> RpcError:
    """Return a provider's answer to a client above its rate."""
    return RpcError(
        429,
        "Your app has exceeded its compute units per second capacity. If you have retries enabled, you can safely "
        "ignore this message.",
    )


LOG_WORDS: dict[str, tuple[int, str]] = {
    "range": (-32000, "exceed maximum block range: {limit}"),
    "free": (
        -32600,
        "Under the Free tier plan, you can make eth_getLogs requests with up to a {limit} block range. Based on "
        "your parameters, this block range should work: [{first}, {last}].",
    ),
    "limited": (-32614, "eth_getLogs is limited to a {limit} range"),
    "wide": (-32062, "Block range is too large"),
    "results": (
        -32005,
        "query returned more than 10000 results. Try with this block range [{first}, {last}].",
    ),
    "tier": (35, "ranges over {limit} blocks are not supported on freetier"),
    "invalid": (-32602, "query exceeds max block range {limit}"),
}
"""Name → code and message of a provider's refusal of a range."""


def range_too_long(words: str, limit: int, first: int) -> RpcError:
    """Return a provider's refusal of logs from more than `limit` blocks."""
    code, message = LOG_WORDS[words]
    return RpcError(code, message.format(limit=limit, first=hex(first), last=hex(first + limit - 1)))
