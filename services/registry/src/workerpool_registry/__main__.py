"""Entry point of the registry: `workerpool-registry` or `python -m workerpool_registry`."""

from typing import NoReturn

from workerpool_kit.process import run_service

from workerpool_registry.composition import serve
from workerpool_registry.settings import RegistrySettings


def main() -> NoReturn:
    """Run the registry."""
    run_service(
        RegistrySettings,
        serve,
        name="workerpool-registry",
        about="serves the chain configuration of a pool and the SMS locations of its platform.",
    )


if __name__ == "__main__":
    main()
