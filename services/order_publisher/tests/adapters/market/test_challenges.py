"""Only the challenge of the market is signed: never an order, an authorization or another chain's challenge."""

from typing import Any

import pytest
from workerpool_order_publisher.adapters.market.challenges import authorization, challenge_digest
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.eip712 import Eip712Domain
from workerpool_poco.protocol.ids import bytes32, from_hex
from workerpool_poco.protocol.signatures import recover_address

DOMAIN = Eip712Domain("iExec Gateway", "1", 65535)
TYPE = "Challenge(string challenge)"


def typed_data() -> dict[str, Any]:
    return DOMAIN.to_json(TYPE, {"challenge": "some text"})


def test_the_header_holds_hash_signature_and_address() -> None:
    wallet = Wallet.create()
    digest = challenge_digest(typed_data(), 65535)
    assert digest == DOMAIN.digest(TYPE, ["some text"])
    given, signature, address = authorization(wallet, wallet.address, digest).split("_")
    assert recover_address(bytes32(given), from_hex(signature)) == address == wallet.address


def test_a_chain_id_may_be_a_text() -> None:
    data = typed_data()
    data["domain"]["chainId"] = "65535"
    assert challenge_digest(data, 65535) == DOMAIN.digest(TYPE, ["some text"])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("primaryType",), "WorkerpoolOrder"),
        (("types",), None),
        (("types", "Challenge"), [{"name": "challenge", "type": "bytes32"}]),
        (("domain",), []),
        (("domain", "verifyingContract"), "0x" + "ab" * 20),
        (("domain", "chainId"), 1),
        (("domain", "name"), 5),
        (("message",), {"challenge": "text", "more": 1}),
        (("message", "challenge"), 5),
        (("message", "challenge"), "x" * 20_000),
    ],
)
def test_other_typed_data_is_not_signed(path: tuple[str, ...], value: Any) -> None:
    data = typed_data()
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ValueError, match="challenge"):
        challenge_digest(data, 65535)
