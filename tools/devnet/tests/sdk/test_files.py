"""The files for the SDK come and go with the devnet."""

import json
from pathlib import Path

from devnet.tests.sdk.test_chain_files import VIEW
from workerpool_devnet.sdk.files import SdkFiles, sdk_paths
from workerpool_poco.chain.wallet import Wallet


def test_every_file_is_written_described_and_removed(tmp_path: Path) -> None:
    wallet = Wallet.create()
    files = SdkFiles.write(tmp_path, VIEW, {"requester": wallet})
    assert sorted(tmp_path.iterdir()) == sorted(sdk_paths(tmp_path))
    told = files.describe()
    for path in told["chains"].values():
        assert json.loads(Path(path).read_text())["chains"]["devnet"]["hub"] == VIEW.hub
    (keystore,) = (path for path in Path(told["keystore"]).iterdir() if path.name.startswith("UTC"))
    assert Wallet.from_keystore(keystore, told["password"]).address == wallet.address
    files.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_wallet_that_the_user_added_stays(tmp_path: Path) -> None:
    files = SdkFiles.write(tmp_path, VIEW, {"requester": Wallet.create()})
    (tmp_path / "keystore" / "UTC--own").write_text("{}")
    files.remove()
    assert [path.name for path in tmp_path.rglob("*")] == ["keystore", "UTC--own"]
