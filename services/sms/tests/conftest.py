"""An SMS over memory."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.sms.tests.instance import Instance


@pytest.fixture
def new_sms(tmp_path: Path) -> Callable[..., Instance]:
    """Return a function that makes an SMS with the given settings."""
    return lambda **settings: Instance(tmp_path, **settings)


@pytest.fixture
def sms(tmp_path: Path) -> Instance:
    """Return an SMS of TDX that allows unattested sessions."""
    return Instance(tmp_path)
