"""Key stores that the command line of the SDK finds by the address of the wallet (`--keystoredir`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from workerpool_poco.chain.wallet import Wallet

PASSWORD_FILE = "password"


def write_keystore(
    folder: Path, wallets: Mapping[str, Wallet], password: str, moment: datetime
) -> dict[str, Path]:
    """Write the key store of each role and a file with their password; return role → path.

    The command line takes the newest key store when no wallet is named, so the first role gets the newest date. The
    key stores are light: the command line opens one for each command, and a standard one takes it a second.
    """
    folder.mkdir(mode=0o700)
    secret = folder / PASSWORD_FILE
    secret.touch(mode=0o600)
    secret.write_text(password)
    written = {}
    for age, (role, wallet) in enumerate(wallets.items()):
        date = (moment - timedelta(seconds=age)).strftime("%Y-%m-%dT%H-%M-%S.000000000Z")
        written[role] = folder / f"UTC--{date}--{wallet.address[2:]}"
        wallet.write_keystore(written[role], password, light=True)
    return written
