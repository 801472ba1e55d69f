"""Entry point of the process: `workerpool-worker`, or `python -m workerpool_worker`; `cli` is `poolworker`."""

from typing import NoReturn

from workerpool_kit.process import run_service

from workerpool_worker.composition import ABOUT, NAME, serve
from workerpool_worker.settings import WorkerSettings


def main() -> NoReturn:
    """Run the worker."""
    run_service(WorkerSettings, serve, name=NAME, about=ABOUT)


if __name__ == "__main__":
    main()
