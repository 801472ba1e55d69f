"""The built site: complete, searchable, and without anything that a page would fetch."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FETCHED = re.compile(
    r"<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=[\"'](?:https?:)?//", re.IGNORECASE
)
IMPORTED = re.compile(r"@import\s+(?:url\()?[\"']?(?:https?:)?//|url\([\"']?(?:https?:)?//")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `make site` does: a warning, such as of a dead link, fails."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    ended = subprocess.run(
        [*command, "-c", "tools/docs_site", "docs", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.mark.full
def test_every_document_is_a_page_of_the_contents(site: Path) -> None:
    contents = (site / "index.html").read_text()
    for document in sorted((ROOT / "docs").rglob("*.md")):
        page = document.relative_to(ROOT / "docs").with_suffix(".html")
        assert (site / page).exists()
        assert page.name == "index.html" or f'href="{page}"' in contents


@pytest.mark.full
def test_no_page_fetches_anything_from_the_network(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 10
    assert [page.name for page in pages if FETCHED.search(page.read_text())] == []
    styles = list(site.rglob("*.css"))
    assert styles
    assert [style.name for style in styles if IMPORTED.search(style.read_text())] == []


@pytest.mark.full
def test_the_search_needs_no_server(site: Path) -> None:
    """The index is a script: browsers refuse to read other files beside a page that is a file itself."""
    index = (site / "searchindex.js").read_text()
    assert index.startswith("Search.setIndex(")
    assert "walletrunsdry" in index


@pytest.mark.full
def test_diagrams_are_tables(site: Path) -> None:
    page = (site / "state-machines.html").read_text()
    assert "<table" in page
    assert "mermaid" not in page
