"""Fresh key pairs for enclaves."""

import coincurve
from workerpool_poco.protocol.ids import Address
from workerpool_poco.protocol.signatures import public_key_address


def new_enclave_key() -> tuple[bytes, Address]:
    """Return a random private key (32 bytes) and its address."""
    key = coincurve.PrivateKey()
    return key.secret, public_key_address(key.public_key)
