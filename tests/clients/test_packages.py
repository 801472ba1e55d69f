"""The packages of the clients: code that the protos give now, and tests of their own."""

import client_packages
import pytest
from patience import PATIENCE_S

from .programs import LANGUAGES, ended, installed, started

pytestmark = pytest.mark.full

TESTED = [name for name in LANGUAGES if (client_packages.CLIENTS / name / "run-tests").exists()]


@pytest.mark.parametrize("language", client_packages.generated_languages())
def test_the_generated_code_is_that_of_the_protos(language: str) -> None:
    assert client_packages.differences(language) == [], "run `make clients`"


@pytest.mark.parametrize("language", TESTED)
async def test_the_tests_of_a_client_pass(language: str) -> None:
    """Those of the Python client run with the unit tests."""
    await installed()
    end = await ended(await started(language, "run-tests"), 5 * PATIENCE_S)
    assert end.code == 0, f"{end.output}\n{end.errors}"


def test_each_client_has_what_the_programs_need() -> None:
    wanted = {"README.md", "install", "run-example", "run-readme"}
    for language in LANGUAGES:
        present = {path.name for path in (client_packages.CLIENTS / language).iterdir()}
        assert wanted <= present, language
