"""Progress of long commands on stderr, shown only on a terminal."""

import sys

from rich.console import Console


def stderr_console() -> Console:
    """Return a console on stderr; a pipe gets no progress bars."""
    return Console(file=sys.stderr, quiet=not sys.stderr.isatty(), highlight=False, markup=False)
