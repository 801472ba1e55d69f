"""axe-core, the engine that finds what keeps some people from using a page; it is installed on first use."""

from functools import cache
from pathlib import Path

from workerpool_devnet.packages import ensure_installed, repository_root

_SCRIPT = "axe-core/axe.min.js"


@cache
def source() -> str:
    """Return the script, which defines `axe` inside of a page. Raises PackagesError when npm fails."""
    target = repository_root() / ".cache" / "browser"
    ensure_installed(Path(__file__).parent, target, [_SCRIPT], "axe-core")
    return (target / "node_modules" / _SCRIPT).read_text()
