"""Errors that callers of this library handle, importable without any chain I/O.

Modules whose errors only their own callers meet define those themselves, all below `PocoError`.
"""

from typing import Any


class PocoError(Exception):
    """The root of every error that this library raises on purpose; one subclass per cause."""


class InvalidId(PocoError, ValueError):
    """A text or byte string is not the 32-byte id or 20-byte address it should be."""


class InvalidSignature(PocoError, ValueError):
    """A signature has a wrong length, or no public key can be recovered from it."""


class ChainUnreachable(PocoError):
    """The node does not answer: refused, timed out, overloaded, or not a JSON-RPC server."""


class Throttled(ChainUnreachable):
    """The node refuses requests because there are too many; it did not execute the request."""


class MalformedNodeAnswer(ChainUnreachable):
    """The node answered something that is not the answer to the request, such as null where a value is required.

    Nodes do that while they start, lag or fail; a repeated request usually succeeds.
    """


class RpcError(PocoError):
    """The node answered with an error; `code`, `message` and `data` are the node's."""

    def __init__(self, method: str, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{method}: {message} (code {code})")
        self.method = method
        self.code = code
        self.message = message
        self.data = data

    @property
    def state_gone(self) -> bool:
        """Whether the node lacks the state of the requested block.

        A node that keeps only the newest state answers so while the head moves, and a node that lags answers so for a
        block it has not received. A repeated request succeeds there or at another node of the same provider.
        """
        return any(word in self.message.lower() for word in _STATE_GONE_WORDS)

    @property
    def busy(self) -> bool:
        """Whether the node throttles requests; some providers report that in a JSON-RPC error."""
        return self.code == _BUSY_CODE or any(word in self.message.lower() for word in _BUSY_WORDS)


class LogRangeTooLarge(PocoError):
    """The node refuses a log query over that many blocks or logs: request fewer blocks."""


class CallReverted(PocoError):
    """The contract reverted a read, e.g. of a category that does not exist."""


class MalformedAnswer(PocoError):
    """An answer does not decode as the contract's type.

    Usually the address holds no contract (an empty answer), or another version of it.
    """


class EmptyAnswer(MalformedAnswer):
    """The node returned no data for a call that returns some: it knows no contract at the address (yet)."""


class WrongChain(ChainUnreachable):
    """The node serves another chain than the configured one; the configured one is not reachable through it."""


class HubNotFound(PocoError):
    """The configured address of this chain holds no PoCo hub."""


_BUSY_CODE = 429
_BUSY_WORDS = (
    "too many requests",
    "rate limit",
    "request rate",
    "credits limited",
    "compute units",
    "requests per second",
    "calls per second",
    "request limit",
    "rps limit",
    "request count exceeded",
    "monthly capacity",
)
_STATE_GONE_WORDS = (
    "blockoutofrange",
    "header not found",
    "block not found",
    "unknown block",
    "missing trie node",
    "state is not available",
    "state unavailable",
)
