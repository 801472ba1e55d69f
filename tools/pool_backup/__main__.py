"""`python -m pool_backup backup|restore PLACE`: see --help."""

import argparse
import os
import sys
from pathlib import Path

from pool_env.env_file import EnvFileError, parse

from pool_backup.backup import SETTINGS, back_up, restore
from pool_backup.engine import BackupFailed, Engine

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "workerpool"
"""The name of compose.yaml."""
IMAGE = "docker.io/library/mongo:7.0"
"""MongoDB's image of compose.yaml."""
EXIT_OK, EXIT_FAILED = 0, 1


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="pool_backup", description="Backs up and restores the data, settings and secrets of a pool."
    )
    parser.add_argument("command", choices=["backup", "restore"])
    parser.add_argument("place", type=Path, help="the folder of the backup; a new one for `backup`")
    parser.add_argument("--folder", type=Path, default=ROOT, help="the folder with .env and compose.yaml")
    options = parser.parse_args(arguments)
    folder, place = options.folder, options.place.absolute()
    settings = folder if options.command == "backup" else place
    try:
        values = parse((settings / SETTINGS).read_text())
        engine = Engine(os.environ.get("COMPOSE_PROJECT_NAME", PROJECT), values.get("MONGO_IMAGE") or IMAGE)
        command = back_up if options.command == "backup" else restore
        command(engine, folder, place, _say)
    except (BackupFailed, OSError, EnvFileError) as problem:
        sys.stderr.write(f"no {options.command}: {problem}\n")
        return EXIT_FAILED
    return EXIT_OK


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
