import json
from pathlib import Path

import pytest
from eth_account import Account
from workerpool_poco.chain.wallet import (
    Wallet,
    WalletError,
    WalletFileInvalid,
    WalletFileMissing,
    WrongWalletPassword,
)

KEY = "0x" + "11" * 32


def test_address_of_a_key() -> None:
    assert Wallet.from_key(KEY).address == "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


def test_a_key_store_opens_with_its_password_only(tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    Wallet.from_key(KEY).write_keystore(path, "pässword", light=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Wallet.from_keystore(path, "pässword").address == Wallet.from_key(KEY).address
    with pytest.raises(WrongWalletPassword):
        Wallet.from_keystore(path, "wrong")
    assert Account.decrypt(json.loads(path.read_text()), "pässword") == bytes.fromhex("11" * 32)


def test_missing_and_malformed_key_stores_raise_different_errors(tmp_path: Path) -> None:
    with pytest.raises(WalletFileMissing):
        Wallet.from_keystore(tmp_path / "nothing.json", "x")
    for number, content in enumerate(
        [
            b"",
            b"hello",
            b"[]",
            b"{}",
            b"\xff\xfe",
            b'{"crypto": {}, "version": 3}',
            b'{"crypto": 5, "version": 9}',
        ]
    ):
        path = tmp_path / f"{number}.json"
        path.write_bytes(content)
        with pytest.raises(WalletFileInvalid):
            Wallet.from_keystore(path, "x")


@pytest.mark.parametrize("key", ["0x", "0x" + "00" * 32, "ff" * 32, b"short"])
def test_malformed_keys_are_refused(key: str | bytes) -> None:
    with pytest.raises(WalletError):
        Wallet.from_key(key)


def test_the_key_is_not_in_the_representation() -> None:
    wallet = Wallet.from_key(KEY)
    assert "1111" not in repr(wallet)
    assert "1111" not in str(wallet)
    assert not hasattr(wallet, "__dict__")
