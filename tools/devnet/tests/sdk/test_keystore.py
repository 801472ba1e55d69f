"""Key stores in the form that the SDK's command line finds."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

from workerpool_devnet.sdk.keystore import PASSWORD_FILE, write_keystore
from workerpool_poco.chain.wallet import Wallet


def test_each_wallet_is_found_by_its_address_and_the_first_is_the_newest(tmp_path: Path) -> None:
    wallets = {role: Wallet.create() for role in ("requester", "poolOwner")}
    folder = tmp_path / "keystore"
    found = write_keystore(folder, wallets, "secret", datetime(2026, 11, 29, 1, 2, 3, tzinfo=UTC))
    assert (folder / PASSWORD_FILE).read_text() == "secret"
    for role, path in found.items():
        prefix, date, digits = path.name.split("--")
        assert (prefix, len(date)) == ("UTC", len("2026-11-29T01-02-03.000000000Z"))
        assert f"0x{digits}" == wallets[role].address
        assert Wallet.from_keystore(path, "secret").address == wallets[role].address
        assert json.loads(path.read_text())["crypto"]["kdfparams"]["n"] <= 8192, "a command must open it fast"
    assert found["requester"].name > found["poolOwner"].name


def test_only_the_user_reads_them(tmp_path: Path) -> None:
    folder = tmp_path / "keystore"
    write_keystore(folder, {"requester": Wallet.create()}, "secret", datetime.now(UTC))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
