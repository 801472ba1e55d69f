"""Passwords, wallets and `.env` in the pool's folder. Nothing that exists is overwritten, but `.env` grows."""

import secrets
from pathlib import Path

from workerpool_poco.chain.wallet import Wallet, WalletError

from poolctl.adapters.pool_folder import write_private
from poolctl.domain.setup.plan import CORE_WALLET, PASSWORDS, WORKER_WALLET
from poolctl.errors import CommandFailed
from poolctl.folder import ENV_FILE

SECRETS = "secrets"
_PASSWORD_BYTES = 24
WALLET_PASSWORDS = {CORE_WALLET: "core-wallet-password", WORKER_WALLET: "worker-wallet-password"}


class PoolFiles:
    """The files of one pool's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Create the folders. Raises CommandFailed."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / SECRETS).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise CommandFailed(
                f"the folder {self.folder} cannot be used: {error.strerror}",
                "name another one with --pool-dir",
            ) from error

    def passwords(self) -> frozenset[str]:
        """Return the password files that exist."""
        return frozenset(name for name in PASSWORDS if (self.folder / SECRETS / name).is_file())

    def wallets(self) -> frozenset[str]:
        """Return the wallet files that exist."""
        return frozenset(name for name in WALLET_PASSWORDS if (self.folder / name).is_file())

    def create_password(self, name: str, source: Path | None = None) -> None:
        """Write a random password, or a copy of the one in a file of the operator. Raises CommandFailed."""
        text = secrets.token_urlsafe(_PASSWORD_BYTES) if source is None else self._read(source)
        write_private(self.folder / SECRETS / name, text + "\n")

    def create_wallet(self, name: str) -> str:
        """Write a new wallet, encrypted with its password file; return its address."""
        wallet = Wallet.create()
        target = self.folder / name
        beside = target.with_name(f".{name}.new")
        wallet.write_keystore(beside, self._read(self.folder / SECRETS / WALLET_PASSWORDS[name]))
        beside.replace(target)
        return wallet.address

    def open_wallet(self, name: str) -> Wallet:
        """Return a wallet of the folder. Raises CommandFailed for a password that does not open it."""
        password = self._read(self.folder / SECRETS / WALLET_PASSWORDS[name])
        try:
            return Wallet.from_keystore(self.folder / name, password)
        except WalletError as problem:
            raise CommandFailed(
                str(problem), f"write its password into {self.folder / SECRETS / WALLET_PASSWORDS[name]}"
            ) from problem

    def env_text(self) -> str:
        """Return the text of `.env`; empty without one."""
        path = self.folder / ENV_FILE
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def write_env(self, text: str) -> None:
        """Replace `.env` at once."""
        write_private(self.folder / ENV_FILE, text)

    @staticmethod
    def _read(path: Path) -> str:
        try:
            text = path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandFailed(
                f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}",
                "correct its path, owner or mode",
            ) from error
        if not text:
            raise CommandFailed(f"{path} is empty", "write the password into it")
        return text
