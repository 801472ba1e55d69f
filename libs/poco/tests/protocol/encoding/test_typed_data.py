from dataclasses import replace

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.typed_data import (
    LogChallenge,
    LoginChallenge,
    recover_challenge_signer,
    sign_challenge,
)
from workerpool_poco.protocol.ids import to_hex

WALLET = Wallet.from_key("0x" + "11" * 32)
LOGIN = LoginChallenge(WALLET.address, "c0ffee", 1_700_000_000, 65535, "0x" + "44" * 20)
LOG = LogChallenge("abc", 134)


def test_log_challenge_vector() -> None:
    assert to_hex(LOG.hash) == "0x24d66377850d1aa53a35fd398a5f749ef3fb9f859861b1d6bbd7932f98ee9a02"


def test_other_wallets_hash_the_json_form_to_the_same_digest() -> None:
    for challenge in (LOGIN, LOG):
        message = encode_typed_data(full_message=challenge.to_json())
        assert keccak(b"\x19\x01" + message.header + message.body) == challenge.hash
        signature = Account.sign_message(message, b"\x11" * 32).signature
        assert sign_challenge(WALLET, challenge) == bytes(signature)
        assert recover_challenge_signer(challenge, bytes(signature)) == WALLET.address


def test_a_login_is_valid_for_one_pool_wallet_and_time_only() -> None:
    signature = sign_challenge(WALLET, LOGIN)
    for other in (
        replace(LOGIN, workerpool="0x" + "55" * 20),
        replace(LOGIN, chain_id=134),
        replace(LOGIN, issued_at=1),
        replace(LOGIN, challenge="other"),
    ):
        assert recover_challenge_signer(other, signature) != WALLET.address


def test_the_log_challenge_has_the_shape_that_the_sdk_expects() -> None:
    assert LOG.to_json() == {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
            ],
            "Challenge": [{"name": "challenge", "type": "string"}],
        },
        "primaryType": "Challenge",
        "domain": {"name": "iExec Core", "version": "1", "chainId": 134},
        "message": {"challenge": "abc"},
    }
