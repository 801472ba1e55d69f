"""Challenges that a wallet signs as proof of its address: a worker's login and a requester's log access (EIP-712)."""

from dataclasses import dataclass
from typing import Any, Protocol

from workerpool_poco.protocol.encoding.eip712 import Eip712Domain
from workerpool_poco.protocol.ids import Address, address
from workerpool_poco.protocol.signatures import recover_address

_LOGIN_TYPE = "Login(address wallet,string challenge,uint256 issuedAt)"
_LOG_TYPE = "Challenge(string challenge)"


class HashSigner(Protocol):
    """Signs a challenge; a wallet does."""

    def sign_hash(self, digest: bytes) -> bytes:
        """Sign 32 bytes without a prefix; return 65 bytes."""
        ...


@dataclass(frozen=True, slots=True)
class LoginChallenge:
    """The challenge that a worker signs to open a session with the scheduler.

    Domain: `{name "Workerpool Core", version "1", chainId, verifyingContract = the workerpool's address}`, so that a
    signature for one pool is invalid at another. `issued_at` is in Unix seconds.
    """

    wallet: Address
    challenge: str
    issued_at: int
    chain_id: int
    workerpool: Address

    @property
    def _domain(self) -> Eip712Domain:
        return Eip712Domain("Workerpool Core", "1", self.chain_id, address(self.workerpool))

    @property
    def hash(self) -> bytes:
        """The 32 bytes to sign."""
        return self._domain.digest(_LOGIN_TYPE, [address(self.wallet), self.challenge, self.issued_at])

    def to_json(self) -> dict[str, Any]:
        """Return the typed data for a wallet that hashes it itself."""
        message = {"wallet": address(self.wallet), "challenge": self.challenge, "issuedAt": self.issued_at}
        return self._domain.to_json(_LOGIN_TYPE, message)


@dataclass(frozen=True, slots=True)
class LogChallenge:
    """The challenge that a requester's tool signs to read the logs of its task, or to log in to a result proxy.

    Domain: `{name, version "1", chainId}` without a contract, as published tools expect it. The name is that of the
    service, such as "iExec Core", so that a signature for one service is invalid at another.
    """

    challenge: str
    chain_id: int
    service: str = "iExec Core"

    @property
    def _domain(self) -> Eip712Domain:
        return Eip712Domain(self.service, "1", self.chain_id)

    @property
    def hash(self) -> bytes:
        """The 32 bytes to sign."""
        return self._domain.digest(_LOG_TYPE, [self.challenge])

    def to_json(self) -> dict[str, Any]:
        """Return the typed data that the scheduler's HTTP API sends."""
        return self._domain.to_json(_LOG_TYPE, {"challenge": self.challenge})


def sign_challenge(wallet: HashSigner, challenge: LoginChallenge | LogChallenge) -> bytes:
    """Return the 65-byte signature of a challenge."""
    return wallet.sign_hash(challenge.hash)


def recover_challenge_signer(challenge: LoginChallenge | LogChallenge, signature: bytes) -> Address:
    """Return the address that signed a challenge; raises `InvalidSignature` when the signature is malformed."""
    return recover_address(challenge.hash, signature)
