"""Challenges: single use, bound to a wallet, with an expiry."""

from dataclasses import replace

import pytest
from workerpool_devnet.order_book.challenges import LIFETIME_S, Authorization, Challenges
from workerpool_devnet.order_book.errors import NotAuthorized
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.eip712 import Eip712Domain
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.signatures import recover_address

WALLET = Wallet.create()


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def signed(challenges: Challenges, wallet: Wallet = WALLET) -> Authorization:
    """Answer a new challenge as the SDK does."""
    data = challenges.issue(wallet.address)
    domain = Eip712Domain(data["domain"]["name"], data["domain"]["version"], data["domain"]["chainId"])
    digest = domain.digest("Challenge(string challenge)", [data["message"]["challenge"]])
    header = f"{to_hex(digest)}_{to_hex(wallet.sign_hash(digest))}_{wallet.address}"
    return Authorization.parse(header)


def test_a_challenge_counts_once() -> None:
    challenges = Challenges(65535, Clock())
    authorization = signed(challenges)
    assert recover_address(bytes.fromhex(authorization.challenge_hash[2:]), authorization.signature) == (
        WALLET.address
    )
    challenges.redeem(authorization)
    with pytest.raises(NotAuthorized, match="used"):
        challenges.redeem(authorization)


def test_a_challenge_expires() -> None:
    clock = Clock()
    challenges = Challenges(65535, clock)
    early, late = signed(challenges), signed(challenges)
    clock.now = LIFETIME_S - 1
    challenges.redeem(early)
    clock.now = LIFETIME_S
    with pytest.raises(NotAuthorized, match="expired"):
        challenges.redeem(late)


def test_a_challenge_is_bound_to_its_wallet() -> None:
    challenges = Challenges(65535, Clock())
    authorization = replace(signed(challenges), wallet=Wallet.create().address)
    with pytest.raises(NotAuthorized, match="another wallet"):
        challenges.redeem(authorization)


def test_unanswered_challenges_are_bounded() -> None:
    clock = Clock()
    challenges = Challenges(65535, clock)
    first = signed(challenges)
    for _ in range(10_000):
        challenges.issue(WALLET.address)
    with pytest.raises(NotAuthorized):
        challenges.redeem(first)


@pytest.mark.parametrize(
    "header", ["", "a_b", "0x12_0x_0x", "Bearer x", f"0x{'0' * 64}_0xzz_{WALLET.address}"]
)
def test_a_malformed_header_is_refused_with_a_sentence(header: str) -> None:
    with pytest.raises(NotAuthorized, match="/challenge"):
        Authorization.parse(header)
