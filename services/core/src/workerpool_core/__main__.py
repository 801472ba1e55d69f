"""Entry point of the scheduler: ``workerpool-core`` or ``python -m workerpool_core``."""

from typing import NoReturn

from workerpool_kit.process import run_service

from workerpool_core.composition.serve import serve
from workerpool_core.settings import CoreSettings


def main() -> NoReturn:
    """Run the scheduler."""
    run_service(
        CoreSettings,
        serve,
        name="workerpool-core",
        about="Watches the chain for deals of one workerpool and schedules their tasks among its workers.",
    )


if __name__ == "__main__":
    main()
