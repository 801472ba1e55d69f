"""Translation of a full disk into a refusal."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from workerpool_result_proxy.errors import StorageFull


@contextmanager
def full_disk_refused() -> Iterator[None]:
    """Raise `StorageFull` for the `OSError` of a full disk or quota; other errors pass."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("the disk for temporary files is full; try again later") from error
        raise
