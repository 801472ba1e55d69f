"""Write the pages of docs/ that are generated: the settings, the state machines and the table of past bugs.

With --check nothing is written and the exit code tells whether the pages are current; `make check` uses it.
"""

import difflib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path

from reproduce import robustness_page
from workerpool_core.domain import diagrams
from workerpool_kit.settings.base import Settings
from workerpool_kit.settings.reference import settings_table

ROOT = Path(__file__).resolve().parent.parent
SERVICES = {
    "core": "CoreSettings",
    "chain_adapter": "ChainAdapterSettings",
    "result_proxy": "ResultProxySettings",
    "registry": "RegistrySettings",
    "worker": "WorkerSettings",
}


def settings_page() -> str:
    """Return the table of every environment variable of every process."""
    parts = [
        "# Settings\n\nMade by `make docs` from the services' settings classes; do not edit.\n\n"
        "Every process is configured by environment variables. A secret `NAME` can also be set as `NAME_FILE`,\n"
        "the path of a file that holds it. An unknown variable with a service's own prefix is refused.\n"
    ]
    for service, name in SERVICES.items():
        settings: type[Settings] = getattr(importlib.import_module(f"workerpool_{service}.settings"), name)
        parts.append(f"\n## {service}\n\n{settings_table(settings).strip()}\n")
    return "".join(parts)


def machines_page() -> str:
    """Return the statuses of tasks and replicates as diagrams."""
    return (
        "# State machines\n\n"
        "Made by `make docs` from the tables in `services/core/src/workerpool_core/domain`; do not edit.\n\n"
        f"{diagrams.document()}\n"
    )


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "state-machines.md": machines_page,
    "robustness.md": robustness_page,
}


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check compare them; return the exit code."""
    stale = 0
    for name, page in PAGES.items():
        path, text = ROOT / "docs" / name, page()
        if path.exists() and path.read_text() == text:
            continue
        stale += 1
        if "--check" in arguments:
            sys.stderr.write(f"docs/{name} is out of date: run `make docs`\n")
            found = path.read_text().splitlines() if path.exists() else []
            sys.stderr.writelines(f"{line}\n" for line in difflib.unified_diff(found, text.splitlines(), n=0))
        else:
            path.write_text(text)
            sys.stderr.write(f"docs/{name} written\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
