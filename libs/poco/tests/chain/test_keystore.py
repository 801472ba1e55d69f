"""Key stores against eth-keyfile, which serves as the reference implementation."""

from typing import Any

import pytest
from eth_keyfile import keyfile
from workerpool_poco.chain import keystore
from workerpool_poco.chain.wallet import Wallet

KEY, PASSWORD = b"\x11" * 32, "pässword".encode()
ADDRESS = Wallet.from_key(KEY).address


@pytest.fixture(scope="module", params=["scrypt", "pbkdf2"])
def foreign(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return a key store written by the reference implementation."""
    content: dict[str, Any] = keyfile.create_keyfile_json(
        KEY, PASSWORD, kdf=request.param, iterations=1 << 10
    )
    return content


def test_a_key_store_of_the_reference_opens(foreign: dict[str, Any]) -> None:
    assert keystore.decrypt(foreign, PASSWORD) == KEY
    assert keystore.decrypt({name.upper(): value for name, value in foreign.items()}, PASSWORD) == KEY


def test_a_key_store_of_ours_opens_with_the_reference() -> None:
    content = keystore.encrypt(KEY, ADDRESS, PASSWORD, scrypt_n=keystore.LIGHT_SCRYPT_N)
    assert keyfile.decode_keyfile_json(content, PASSWORD) == KEY
    assert content["address"] == ADDRESS.lower()[2:]


def test_a_standard_key_store_opens() -> None:
    assert keystore.decrypt(keystore.encrypt(KEY, ADDRESS, PASSWORD), PASSWORD) == KEY


def test_a_key_store_with_the_costs_of_eth_account_opens() -> None:
    """Its scrypt parameters (n 2^18, r 1) are outside RFC 7914, so OpenSSL refuses them."""
    content = keyfile.create_keyfile_json(KEY, PASSWORD, kdf="scrypt", iterations=1 << 16)
    assert keystore.decrypt(content, PASSWORD) == KEY


def test_the_published_test_vector_opens() -> None:
    """The PBKDF2 example of the Web3 Secret Storage definition."""
    content = {
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
            "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
            "kdf": "pbkdf2",
            "kdfparams": {
                "c": 262144,
                "dklen": 32,
                "prf": "hmac-sha256",
                "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
            },
            "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
        },
        "version": 3,
    }
    key = keystore.decrypt(content, b"testpassword")
    assert key.hex() == "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"


def test_a_wrong_password_raises_wrong_password(foreign: dict[str, Any]) -> None:
    with pytest.raises(keystore.WrongPassword):
        keystore.decrypt(foreign, b"wrong")


@pytest.mark.parametrize(
    "change",
    [
        {"version": 1},
        {"crypto": {}},
        {"crypto": 5},
        {"kdf": "argon2"},
        {"cipher": "aes-256-cbc"},
        {"ciphertext": "xyz"},
        {"kdfparams": {"n": 3, "r": 1, "p": 1, "dklen": 32, "salt": "00"}},
        {"kdfparams": {"n": 1024, "r": 1, "p": 1, "dklen": 8, "salt": "00"}},
        {"mac": None},
    ],
    ids=str,
)
def test_malformed_key_stores_are_refused(change: dict[str, Any]) -> None:
    content = keystore.encrypt(KEY, ADDRESS, PASSWORD, scrypt_n=keystore.LIGHT_SCRYPT_N)
    inner = {name: value for name, value in change.items() if name not in ("version", "crypto")}
    content |= {"crypto": content["crypto"] | inner} if inner else change
    with pytest.raises(keystore.KeystoreError):
        keystore.decrypt(content, PASSWORD)
