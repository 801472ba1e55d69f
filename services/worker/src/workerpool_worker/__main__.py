"""Entry point of the worker: `poolworker`, or `python -m workerpool_worker`."""

from typing import NoReturn

from workerpool_kit.process import run_service

from workerpool_worker.composition import NAME, serve
from workerpool_worker.settings import WorkerSettings

_ABOUT = "runs the Docker apps that the scheduler of its workerpool assigns, and contributes their results on chain."


def main() -> NoReturn:
    """Run the worker."""
    run_service(WorkerSettings, serve, name=NAME, about=_ABOUT)


if __name__ == "__main__":
    main()
