"""The workers as the scheduler lists them: no honest one may be in quarantine."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import grpc
from workerpool_devnet.devnet import Devnet
from workerpool_protocol.core.v1 import pool_service_pb2
from workerpool_protocol.core.v1.pool_service_pb2_grpc import PoolServiceStub

_CALL_SECONDS = 5.0


@dataclass
class WorkerWatch:
    """Looks at the list of workers and keeps every quarantine."""

    net: Devnet
    names: dict[str, str]
    """Wallets of all known workers in lower case → name."""
    honest: set[str]
    """Wallets of the honest workers in lower case."""
    quarantines: dict[str, set[float]] = field(default_factory=dict)
    """Name of a worker → the ends of its quarantines, in Unix seconds."""
    failures: dict[str, int] = field(default_factory=dict)
    """Name of a worker → its highest count of consecutive failures."""
    slowest_s: float = 0.0
    """Longest answer of the scheduler."""

    async def look(self) -> None:
        """Read the list once; a scheduler that restarts is looked at later."""
        started = time.monotonic()
        try:
            async with grpc.aio.insecure_channel(self.net.services["core"].grpc) as channel:
                request = pool_service_pb2.ListWorkersRequest(page_size=1000)
                answer = await PoolServiceStub(channel).ListWorkers(request, timeout=_CALL_SECONDS)
        except grpc.aio.AioRpcError:
            return
        self.slowest_s = max(self.slowest_s, time.monotonic() - started)
        for worker in answer.workers:
            known = self.names.get(worker.wallet_address.lower(), worker.wallet_address)
            self.failures[known] = max(self.failures.get(known, 0), worker.consecutive_failures)
            until = worker.quarantined_until.ToNanoseconds() / 1e9
            if until > time.time():
                self.quarantines.setdefault(known, set()).add(until)

    def honest_quarantined(self) -> list[str]:
        """Return the honest workers that were in quarantine."""
        honest = {self.names[wallet] for wallet in self.honest}
        return [f"{name} was in quarantine" for name in sorted(honest & self.quarantines.keys())]

    def lines(self) -> list[str]:
        """Return one line for each worker."""
        return [
            f"  {name:<26} {len(self.quarantines.get(name, ())):3} quarantines, {count} failures in a row at most"
            for name, count in sorted(self.failures.items())
        ]
