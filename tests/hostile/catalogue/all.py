"""Every entry of the catalogue, by kind."""

from hostile.catalogue import (
    archives,
    computed_files,
    containers,
    demands,
    failing_apps,
    fetching,
    honest,
    images,
    params,
)
from hostile.catalogue.entry import Entry

HONEST: tuple[Entry, ...] = honest.ENTRIES
HOSTILE: dict[str, tuple[Entry, ...]] = {
    "failing app": failing_apps.ENTRIES,
    "computed.json": computed_files.ENTRIES,
    "archive": archives.ENTRIES,
    "containers": containers.ENTRIES,
    "image names": images.ENTRIES,
    "params": params.ENTRIES,
    "fetching": fetching.ENTRIES,
    "demands": demands.ENTRIES,
}
"""Kind → its entries; the generator draws a kind first, so that no kind drowns in a bigger one."""


def entries() -> list[Entry]:
    """Return every entry, honest and hostile."""
    return [
        *HONEST,
        *(entry for kind in HOSTILE.values() for entry in kind),
        demands.DRY_BAG,
        demands.BAG_TASK,
    ]
