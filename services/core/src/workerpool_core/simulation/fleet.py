"""All workers of a seed, and the loss of their streams."""

from collections.abc import Iterable

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.simulation.core.process import Core
from workerpool_core.simulation.environment import Environment
from workerpool_core.simulation.link import Link
from workerpool_core.simulation.worker.worker import Worker


class Fleet:
    """The workers by wallet."""

    def __init__(self, environment: Environment, core: Core) -> None:
        self._environment = environment
        self._core = core
        self.workers: dict[str, Worker] = {}

    @property
    def wallets(self) -> Iterable[str]:
        """The wallets of all workers."""
        return self.workers

    def add(self, worker: Worker) -> None:
        """Add a worker."""
        self._environment.chain.hub.weights[worker.wallet] = worker.weight
        self.workers[worker.wallet] = worker

    def choose(self) -> Worker:
        """Draw a worker."""
        return self._environment.random.choice(list(self.workers.values()))

    def receive(self, wallet: str, link: Link, effect: d.Effect) -> None:
        """Deliver a message to a worker."""
        self.workers[wallet].receive(link, effect)

    def unanswered(self, wallet: str, sequence: int) -> e.Update | None:
        """Return an unanswered update from a worker's outbox."""
        return self.workers[wallet].journal.outbox.get(sequence)

    def crash(self, worker: Worker, *, wiped: bool) -> None:
        """Crash a worker and close its stream."""
        worker.crash(wiped=wiped)
        self.disconnect(worker.wallet)

    def disconnect(self, wallet: str) -> None:
        """Close a worker's stream; core notices it after a delay."""
        worker, core = self.workers[wallet], self._core
        link = worker.link or core.links.get(wallet)
        if link is None:
            return
        link.open = False
        if core.links.get(wallet) is link:
            del core.links[wallet]
        disconnected = e.WorkerDisconnected(wallet, link.session)
        core.later(self._environment.random.uniform(0.0, 3.0), lambda: core.submit(disconnected))
        if worker.link is link:
            worker.disconnected()
