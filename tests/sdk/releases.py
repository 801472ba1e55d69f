"""The published releases of the iExec command line that these tests run, and where each is installed.

Each release has its own lock file in a folder beside this module, and installs into `.cache/sdk` on first use.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from workerpool_devnet.errors import PackagesError
from workerpool_devnet.packages import Report, ensure_installed, repository_root


@dataclass(frozen=True)
class Release:
    """One release of the npm package `iexec`, and how it differs from the others."""

    version: str
    chain_file: str
    """Which of the files that the devnet writes this release accepts as `chain.json`."""
    skip_check: str
    """The option that skips the checks before an order is signed."""
    tdx_only: bool = False
    """It adds the tag 0x9 (tee, tdx) to every order and matches no other."""
    has_result_proxy: bool = False
    """`storage init` without a provider signs in to the result proxy."""
    has_compass: bool = True
    """It finds the address of a pool's core through chain.json's `compass`."""

    def __str__(self) -> str:
        return self.version


RELEASES = {
    release.version: release
    for release in (
        Release("7.2.5", "chain-7.json", "--skip-request-check", has_result_proxy=True, has_compass=False),
        Release("8.24.0", "chain-8.json", "--skip-preflight-check", has_result_proxy=True),
        Release("9.0.0", "chain.json", "--skip-preflight-check"),
        Release("9.0.1", "chain.json", "--skip-preflight-check", tdx_only=True),
    )
}
"""The releases by version: the newest 7.x and 8.x, the last 9.x with standard deals, the newest of all."""


@cache
def executables(release: Release, report: Report = lambda line: None) -> dict[str, Path]:
    """Install a release unless it is there; return its executables: `iexec` and one for each noun, such as `app`.

    `iexec app run` starts the executable `iexec-app` as a process of its own, with the same arguments.
    Raises `PackagesError` when npm fails.
    """
    target = repository_root() / ".cache" / "sdk" / release.version
    locked = Path(__file__).with_name(release.version)
    ensure_installed(locked, target, ["iexec/package.json"], f"iexec {release.version}", report)
    package = target / "node_modules" / "iexec"
    main = package / json.loads((package / "package.json").read_text())["bin"]["iexec"]
    nouns = {path.stem.removeprefix("iexec-"): path for path in main.parent.glob("iexec-*.js")}
    return {"iexec": main, **nouns}


def main() -> None:
    """Install every release that is missing: `python -m sdk.releases`, in the folder `tests`."""
    try:
        for release in RELEASES.values():
            executables(release, lambda line: print(line, file=sys.stderr))
    except PackagesError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
