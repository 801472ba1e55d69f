"""`poolworker wallet`: a new key store file, and the address of one."""

from pathlib import Path

from pydantic import SecretStr
from workerpool_kit.settings.base import Settings, env, secret
from workerpool_poco.chain.wallet import Wallet, WalletError
from workerpool_poco.protocol.ids import Address

from workerpool_worker.cli.local_checks import stored_address
from workerpool_worker.errors import CommandRefused

_MIN_CHARACTERS = 8


class WalletFileSettings(Settings):
    """The two variables that a wallet needs: a wallet is made before its pool is known."""

    wallet_path: Path | None = env(
        "IEXEC_WORKER_WALLET_PATH", None, doc="Key store file of the worker's wallet"
    )
    wallet_password: SecretStr | None = secret(
        "IEXEC_WORKER_WALLET_PASSWORD", None, doc="Password of the key store file"
    )


def create(path: Path, password: str) -> Address:
    """Write a new wallet and return its address. Raises CommandRefused for a file that exists or a short password."""
    if len(password) < _MIN_CHARACTERS:
        raise CommandRefused(
            f"the password is too short; choose one of at least {_MIN_CHARACTERS} characters"
        )
    wallet = Wallet.create()
    try:
        if path.exists():
            raise CommandRefused(f"{path} exists and is not overwritten; name another file with --path")
        path.parent.mkdir(parents=True, exist_ok=True)
        wallet.write_keystore(path, password)
    except OSError as problem:
        raise CommandRefused(f"{path} cannot be written: {problem.strerror}") from problem
    return wallet.address


def show(path: Path, password: str | None) -> Address:
    """Return the address of a key store file, checked with the password if there is one. Raises CommandRefused."""
    if password is None:
        stored = stored_address(path)
        if stored is None:
            raise CommandRefused(
                f"{path} names no address, or cannot be read; set IEXEC_WORKER_WALLET_PASSWORD to open it"
            )
        return stored
    try:
        return Wallet.from_keystore(path, password).address
    except WalletError as problem:
        raise CommandRefused(str(problem)) from problem
