"""Entry point of the chain adapter: `workerpool-chain-adapter` or `python -m workerpool_chain_adapter`."""

from typing import NoReturn

from workerpool_kit.process import run_service

from workerpool_chain_adapter.composition import serve
from workerpool_chain_adapter.settings import ChainAdapterSettings


def main() -> NoReturn:
    """Run the chain adapter."""
    run_service(
        ChainAdapterSettings,
        serve,
        name="workerpool-chain-adapter",
        about="Sends the pool owner's transactions (initialize, finalize, reopen, claim) once each.",
    )


if __name__ == "__main__":
    main()
