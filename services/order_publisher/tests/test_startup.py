"""A wallet that cannot be opened ends the start with the variable to correct."""

from pathlib import Path

import pytest
from workerpool_kit.process import StartupError
from workerpool_kit.settings.environment import load
from workerpool_order_publisher.settings import OrderPublisherSettings
from workerpool_order_publisher.startup import open_wallet
from workerpool_poco.chain.wallet import Wallet

from services.order_publisher.tests.test_settings import REQUIRED


def settings(path: Path, password: str) -> OrderPublisherSettings:
    wallet = {"ORDER_PUBLISHER_WALLET_PATH": str(path), "ORDER_PUBLISHER_WALLET_PASSWORD": password}
    return load(OrderPublisherSettings, REQUIRED | wallet)


async def test_the_wallet_is_opened_or_its_variables_are_named(tmp_path: Path) -> None:
    wallet, path = Wallet.create(), tmp_path / "wallet.json"
    wallet.write_keystore(path, "right", light=True)
    assert (await open_wallet(settings(path, "right"))).address == wallet.address
    for bad in (settings(path, "wrong"), settings(tmp_path / "gone.json", "right")):
        with pytest.raises(StartupError, match="ORDER_PUBLISHER_WALLET_PATH"):
            await open_wallet(bad)
