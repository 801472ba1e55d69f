"""Entry point of the result proxy: `workerpool-result-proxy` or `python -m workerpool_result_proxy`."""

from typing import NoReturn

from workerpool_kit.process import run_service

from workerpool_result_proxy.composition import NAME, serve
from workerpool_result_proxy.settings import ResultProxySettings


def main() -> NoReturn:
    """Run the result proxy."""
    run_service(
        ResultProxySettings,
        serve,
        name=NAME,
        about="Stores result archives that match what a worker revealed on chain, and serves them to readers.",
    )


if __name__ == "__main__":
    main()
