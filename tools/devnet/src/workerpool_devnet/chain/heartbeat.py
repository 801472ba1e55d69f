"""Mines from outside anvil, in intervals that its JSON-RPC interface does not offer."""

from __future__ import annotations

import contextlib
import threading

from workerpool_devnet.chain.jsonrpc import JsonRpc
from workerpool_devnet.errors import ChainError

_TIMEOUT_S = 5.0


class Heartbeat:
    """Mines a block every `seconds`, in a thread."""

    def __init__(self, url: str, seconds: float) -> None:
        self._url = url
        self.seconds = seconds
        """The pause between two blocks."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="chain heartbeat", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread after the block that it is mining."""
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        rpc = JsonRpc(self._url, timeout=_TIMEOUT_S)
        try:
            while not self._over.wait(self.seconds):
                # The chain is paused or gone: a paused one must have its blocks again afterwards.
                with contextlib.suppress(ChainError):
                    rpc.call("anvil_mine", "0x1")
        finally:
            rpc.close()
