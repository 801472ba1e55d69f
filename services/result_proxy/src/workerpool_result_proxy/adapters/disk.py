"""A full disk as a refusal the caller understands."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from workerpool_result_proxy.errors import StorageFull


@contextmanager
def full_disk_refused() -> Iterator[None]:
    """Turn the `OSError` of a full disk or quota into `StorageFull`; others pass."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("there is no room for the archive at the moment; try again later") from error
        raise
