import pytest
from pydantic import ValidationError
from workerpool_kit.settings.node import SenderSettings


def test_defaults_detect_the_chain_and_are_generous() -> None:
    settings = SenderSettings()
    assert (settings.chain_shape, settings.node_calls_per_s) == ("auto", 5_000)


def test_other_shapes_and_budgets_are_refused() -> None:
    with pytest.raises(ValidationError):
        SenderSettings(chain_shape="rollup")  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        SenderSettings(node_calls_per_s=0)
