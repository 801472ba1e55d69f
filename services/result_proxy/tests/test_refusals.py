"""Every refusal that the README names exists, and it names every refusal."""

import re
from pathlib import Path

from workerpool_result_proxy.errors import archives, reading, tokens, uploads
from workerpool_result_proxy.errors.base import ResultProxyError

README = Path(__file__).parents[1] / "README.md"
UNNAMED = {"ARCHIVE_REFUSED", "UPLOAD_HEADER_EXPECTED"}
"""The root of the archives' errors, and a defect of a client."""


def test_the_readme_names_every_refusal() -> None:
    section = README.read_text().partition("## Refusals\n")[2].partition("\n## ")[0]
    named = {name for name in re.findall(r"`([A-Z][A-Z_]+)`", section) if name != "POOL_ADDRESS"}
    defined = {
        each.reason
        for module in (tokens, uploads, archives, reading)
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, ResultProxyError)
        and each.__module__ == module.__name__
    }
    assert named == defined - UNNAMED
