"""Exit codes of a bench."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, NoReturn

from workerpool_devnet.errors import DevnetError
from workerpool_devnet.processes.signals import until_signalled


def run_and_exit(bench: Coroutine[Any, Any, int]) -> NoReturn:
    """Run a bench and exit with its code, or with 1 when it was interrupted or its pool did not start."""
    try:
        code = asyncio.run(until_signalled(bench))
    except DevnetError as error:
        raise SystemExit(f"bench: {error}") from None
    raise SystemExit(1 if code is None else code)
