"""Write the parts of docs/ that are derived from code: the settings tables and the state machines.

With --check nothing is written and the exit code says whether docs/ is up to date; `make check` asks so.
"""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

from workerpool_core.domain import diagrams
from workerpool_kit.settings.base import Settings, settings_table

ROOT = Path(__file__).resolve().parent.parent
SERVICES = {
    "core": "CoreSettings",
    "chain_adapter": "ChainAdapterSettings",
    "result_proxy": "ResultProxySettings",
    "registry": "RegistrySettings",
    "worker": "WorkerSettings",
}


def settings_page() -> str:
    """Every environment variable of every process."""
    parts = [
        "# Settings\n\nMade by `make docs` from the services' settings classes; do not edit.\n\n"
        "Every process is configured by environment variables. A secret `NAME` can also be given as `NAME_FILE`,\n"
        "the path of a file that holds it. A variable with a service's own prefix that it does not know is refused.\n"
    ]
    for service, name in SERVICES.items():
        settings: type[Settings] = getattr(importlib.import_module(f"workerpool_{service}.settings"), name)
        parts.append(f"\n## {service}\n\n{settings_table(settings).strip()}\n")
    return "".join(parts)


def machines_page() -> str:
    """The life of tasks and replicates as diagrams."""
    return (
        "# State machines\n\n"
        "Made by `make docs` from the tables in `services/core/src/workerpool_core/domain`; do not edit.\n\n"
        f"{diagrams.document()}\n"
    )


PAGES: dict[str, Callable[[], str]] = {"settings.md": settings_page, "state-machines.md": machines_page}


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check compare them; returns the exit code."""
    stale = 0
    for name, page in PAGES.items():
        path, text = ROOT / "docs" / name, page()
        if path.exists() and path.read_text() == text:
            continue
        stale += 1
        if "--check" in arguments:
            sys.stderr.write(f"docs/{name} is not what the code says: run `make docs`\n")
        else:
            path.write_text(text)
            sys.stderr.write(f"docs/{name} written\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
