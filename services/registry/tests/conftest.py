"""A platform from files and the chain configuration that the API tests serve."""

from pathlib import Path

import pytest
from workerpool_kit.chain.config import ChainConfig
from workerpool_registry.adapters.property_folder import PropertyFolder
from workerpool_registry.app.platform import Platform

HUB = "0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f"


@pytest.fixture
def chain() -> ChainConfig:
    return ChainConfig(134, True, "https://node.example", HUB, 0.5)


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    (tmp_path / "application.yml").write_text("sms:\n  tdx: http://tdx:13300\nother: 5\n")
    (tmp_path / "application-prod.yml").write_text("sms.scone: http://scone:13300\n")
    platform = Platform(PropertyFolder(tmp_path))
    platform.load()
    return platform
