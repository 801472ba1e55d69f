"""The npm packages of the local chain: anvil, and the contracts of PoCo and ENS as their authors published them.

`npm ci` installs exactly what `package-lock.json` pins (versions and sha512 sums). Only the
compiled artifacts of `@iexec/poco` and `@ensdomains/ens` are used; `package.json` replaces the dependencies of these
packages (Solidity sources and build tools, some of them git repositories) by a small package that is needed anyway.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from workerpool_devnet.errors import PackagesError

Report = Callable[[str], None]

_NEEDED = (
    "@foundry-rs/anvil-linux-amd64/bin/anvil",
    "@iexec/poco/artifacts/contracts/Diamond.sol/Diamond.json",
    "rlc-faucet-contract/build/contracts/RLC.json",
    "@ensdomains/ens/build/contracts/ENSRegistry.json",
    "@ensdomains/resolver/build/contracts/OwnedResolver.json",
)
_ENS = {"ENSRegistry": _NEEDED[3], "OwnedResolver": _NEEDED[4]}


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


def ens_artifact(name: str) -> Path:
    """Return the truffle build record of a contract of ENS: `ENSRegistry` or `OwnedResolver`."""
    return node_modules() / _ENS[name]


def ensure_packages(report: Report = lambda line: None) -> None:
    """Install the npm packages unless the locked ones are there already.

    `report` receives one line per step that takes time. Raises `PackagesError` with npm's last
    lines when the installation fails.
    """
    root = repository_root()
    ensure_installed(root, root, _NEEDED, "the npm packages (anvil, PoCo contracts)", report)


def ensure_installed(
    locked: Path,
    target: Path,
    needed: Collection[str],
    what: str,
    report: Report = lambda line: None,
) -> None:
    """Install what the lock file in the folder `locked` pins into `target/node_modules`, unless it is there.

    `needed` are files below `node_modules` that must exist afterwards; `what` names the packages in
    reports and errors. Raises `PackagesError` with npm's last lines when the installation fails.
    """
    if _installed(locked, target, needed):
        return
    if shutil.which("npm") is None:
        raise PackagesError("npm was not found; install Node.js 20 or newer (it brings npm) and try again")
    cache = repository_root() / ".cache"
    cache.mkdir(exist_ok=True)
    with (cache / "npm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may start at once
        if _installed(locked, target, needed):
            return
        report(f"installing {what}")
        if target != locked:
            target.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(locked / name, target / name)
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=target,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            tail = "\n".join((done.stderr or done.stdout).splitlines()[-8:])
            raise PackagesError(f"npm ci of {what} failed with exit code {done.returncode}:\n{tail}")
        if missing := _missing(target, needed):
            raise PackagesError(
                f"npm ci left out {', '.join(missing)}; the pinned packages are for Linux on x86-64"
            )


def _installed(locked: Path, target: Path, needed: Collection[str]) -> bool:
    """Return whether npm's record of what it installed agrees with the lock file, and the files are there."""
    try:
        wanted = json.loads((locked / "package-lock.json").read_text())["packages"]
        present = json.loads((target / "node_modules" / ".package-lock.json").read_text())["packages"]
    except (OSError, ValueError, KeyError):
        return False
    agrees = all(_identity(wanted[name]) == _identity(present.get(name, {})) for name in wanted if name)
    return agrees and not _missing(target, needed)


def _missing(target: Path, needed: Collection[str]) -> list[str]:
    return [name for name in needed if not (target / "node_modules" / name).is_file()]


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
