"""Entry point of the scheduler: `workerpool-core` or `python -m workerpool_core`."""

import sys
from typing import NoReturn

from workerpool_kit.process import run_service

from workerpool_core import commands
from workerpool_core.composition.serve import serve
from workerpool_core.settings import CoreSettings


def main() -> NoReturn:
    """Run the scheduler, or the command that the first argument names."""
    if sys.argv[1:2] == [commands.RESET_CURSOR]:
        sys.exit(commands.reset_cursor(sys.argv[2:]))
    run_service(
        CoreSettings,
        serve,
        name="workerpool-core",
        about="Watches the chain for deals of one workerpool and schedules their tasks among its workers.\n"
        f"Further command: workerpool-core {commands.RESET_CURSOR} --to N (see its --help).",
    )


if __name__ == "__main__":
    main()
