"""Settings of core as the environment gives them, with the pool that every core needs."""

from collections.abc import Mapping

from workerpool_core.settings import CoreSettings
from workerpool_kit.settings import environment

POOL_ADDRESS = "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27"


def load(environ: Mapping[str, str]) -> CoreSettings:
    """Load the settings from `environ` and the address of a pool."""
    return environment.load(CoreSettings, {"POOL_ADDRESS": POOL_ADDRESS, **environ})
