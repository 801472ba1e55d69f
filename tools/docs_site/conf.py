"""Configuration of Sphinx for the site. Nothing is read from the network, neither now nor when a page is shown."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from docs_site.pages import site_page, with_contents

project = "Workerpool"
copyright = "the Workerpool developers, Apache-2.0"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "Workerpool"
html_copy_source = False
html_show_sphinx = False
exclude_patterns: list[str] = []
myst_heading_anchors = 4
# Titles such as Added repeat, and links go to pages.
suppress_warnings = ["myst.header"]


def setup(app: Any) -> None:
    """Change each page as it is read."""
    app.connect("source-read", _read)


def _read(app: Any, name: str, source: list[str]) -> None:
    source[0] = site_page(name, source[0])
    if name == "index":
        source[0] = with_contents(source[0], app.env.found_docs)
