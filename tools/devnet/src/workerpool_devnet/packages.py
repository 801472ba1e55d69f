"""The npm packages of the local chain: anvil, and the contracts as their authors published them.

`npm ci` installs exactly what `package-lock.json` pins (versions and sha512 sums). Only the
compiled artifacts of `@iexec/poco` are used; `package.json` replaces the dependencies of that
package (Solidity sources, some of them git repositories) by a small package that is needed anyway.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from workerpool_devnet.errors import PackagesError

Report = Callable[[str], None]

_NEEDED = (
    "@foundry-rs/anvil-linux-amd64/bin/anvil",
    "@iexec/poco/artifacts/contracts/Diamond.sol/Diamond.json",
    "rlc-faucet-contract/build/contracts/RLC.json",
)


def repository_root() -> Path:
    """Return the clone this devnet runs from: the nearest parent folder that holds `package-lock.json`."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "package-lock.json").is_file():
            return folder
    raise PackagesError(
        "the devnet runs from a clone of the repository; no package-lock.json was found above it"
    )


def node_modules() -> Path:
    """Return the folder npm installs into."""
    return repository_root() / "node_modules"


def anvil_binary() -> Path:
    """Return the path of anvil, the local Ethereum node."""
    return node_modules() / _NEEDED[0]


def poco_package() -> Path:
    """Return the folder of the unpacked `@iexec/poco` package."""
    return node_modules() / "@iexec" / "poco"


def rlc_artifact() -> Path:
    """Return the truffle build record (ABI and bytecode) of the RLC token."""
    return node_modules() / _NEEDED[2]


def ensure_packages(report: Report = lambda line: None) -> None:
    """Install the npm packages unless the locked ones are there already.

    `report` receives one line per step that takes time. Raises `PackagesError` with npm's last
    lines when the installation fails.
    """
    root = repository_root()
    if _installed(root):
        return
    if shutil.which("npm") is None:
        raise PackagesError("npm was not found; install Node.js 20 or newer (it brings npm) and try again")
    cache = root / ".cache"
    cache.mkdir(exist_ok=True)
    with (cache / "npm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may start at once
        if _installed(root):
            return
        report("installing the npm packages (anvil, PoCo contracts)")
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            tail = "\n".join((done.stderr or done.stdout).splitlines()[-8:])
            raise PackagesError(f"npm ci failed with exit code {done.returncode}:\n{tail}")
        if missing := [name for name in _NEEDED if not (root / "node_modules" / name).is_file()]:
            raise PackagesError(
                f"npm ci left out {', '.join(missing)}; the pinned anvil is for Linux on x86-64"
            )


def _installed(root: Path) -> bool:
    """Tell whether npm's record of what it installed agrees with the lock file, and the files are there."""
    try:
        wanted = json.loads((root / "package-lock.json").read_text())["packages"]
        present = json.loads((root / "node_modules" / ".package-lock.json").read_text())["packages"]
    except (OSError, ValueError, KeyError):
        return False
    return all(
        _identity(wanted[name]) == _identity(present.get(name, {})) for name in wanted if name
    ) and all((root / "node_modules" / name).is_file() for name in _NEEDED)


def _identity(package: dict[str, str]) -> tuple[str | None, str | None]:
    return package.get("version"), package.get("integrity")


def main() -> None:
    """Install what is missing: `python -m workerpool_devnet.packages`."""
    try:
        ensure_packages(lambda line: print(line, file=sys.stderr))  # noqa: T201
    except PackagesError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
