"""The root of every error this library raises on purpose."""


class PocoError(Exception):
    """Something about the protocol, a wallet or the chain is not as it must be.

    Every module defines its own sub-classes, one per cause, so that a caller can
    tell them apart without reading the text.
    """


class InvalidId(PocoError, ValueError):
    """A text or byte string is not the 32-byte id or 20-byte address it should be."""


class InvalidSignature(PocoError, ValueError):
    """A signature has a wrong length or no public key can be recovered from it."""


class CallReverted(PocoError):
    """The contract refused a read, e.g. a category that does not exist."""
