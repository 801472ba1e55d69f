"""`python -m pool_env check|secrets`: see --help."""

import argparse
import json
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from pool_env.check import PASSWORDS, Scope, problems
from pool_env.env_file import EnvFileError, parse
from pool_env.secret_files import POOL, WALLET, WORKER, plan, read, write

ROOT = Path(__file__).resolve().parents[2]
_OTHERS = stat.S_IRGRP | stat.S_IROTH
EXIT_OK, EXIT_PROBLEMS, EXIT_UNREADABLE = 0, 1, 2
_PLACES = {"pool": (POOL, "secrets"), "worker": (WORKER, "deploy/worker/secrets")}


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="pool_env", description="Checks the .env of a pool and writes its secrets."
    )
    parser.add_argument("command", choices=["check", "secrets"])
    parser.add_argument("--folder", type=Path, default=ROOT, help="the folder with .env and compose.yaml")
    parser.add_argument("--worker", action="store_true", help="the part of a worker, not that of the pool")
    parser.add_argument("--http", action="store_true", help="with deploy/compose.http.yaml")
    parser.add_argument("--https", action="store_true", help="with deploy/compose.https.yaml")
    options = parser.parse_args(arguments)
    folder: Path = options.folder
    try:
        values = parse((folder / ".env").read_text())
        known = parse((folder / ".env.example").read_text())
    except (OSError, EnvFileError) as problem:
        sys.stderr.write(f".env cannot be read: {problem}; make it with `cp .env.example .env`\n")
        return EXIT_UNREADABLE
    part = "worker" if options.worker else "pool"
    if options.command == "secrets":
        return _secrets(folder, part, values)
    scope = Scope(pool=part == "pool", worker=part == "worker", proxy=options.http, https=options.https)
    found = [*problems(values, known, scope, _held(folder, part)), *_files(folder, part, values)]
    sys.stderr.writelines(f"{line}\n" for line in found)
    if not found:
        sys.stdout.write("no problem found\n")
    return EXIT_PROBLEMS if found else EXIT_OK


def _held(folder: Path, part: str) -> dict[str, str]:
    """Return the passwords of the secret files, by the variables that would set them."""
    wanted, place = _PLACES[part]
    held = read(folder / place, wanted)
    return {each.variable: held[each.file] for each in wanted if each.variable and each.file in held}


def _secrets(folder: Path, part: str, values: Mapping[str, str]) -> int:
    wanted, place = _PLACES[part]
    target = folder / place
    planned = plan(wanted, values, read(target, wanted))
    missing = [*planned.missing]
    if part == "pool":
        wallet = folder / (values.get("PROD_CORE_WALLET") or "wallet.json")
        if _is_key_store(wallet):
            if not (target / WALLET).is_file() or (target / WALLET).read_text() != wallet.read_text():
                planned.files[WALLET] = wallet.read_text()
        elif not (target / WALLET).is_file():
            missing.append(f"PROD_CORE_WALLET: {wallet} is no key store file")
    write(target, planned.files)
    sys.stdout.writelines(f"{target / name} written\n" for name in planned.files)
    sys.stderr.writelines(f"{line}\n" for line in missing)
    return EXIT_PROBLEMS if missing else EXIT_OK


def _files(folder: Path, part: str, values: Mapping[str, str]) -> list[str]:
    found = []
    if any(values.get(name) for name in PASSWORDS) and (folder / ".env").stat().st_mode & _OTHERS:
        found.append(".env: other users of this host can read its passwords; run chmod 600 .env")
    if part == "pool" and not _is_key_store(folder / "secrets" / WALLET):
        found.append(f"PROD_CORE_WALLET: secrets/{WALLET} is no key store file; run `make pool-secrets`")
    return found


def _is_key_store(path: Path) -> bool:
    try:
        return "crypto" in {key.lower() for key in json.loads(path.read_text())}
    except (OSError, ValueError, AttributeError, TypeError):
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
