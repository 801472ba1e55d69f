"""Names of the worker's own Prometheus figures, and where they come from."""

from prometheus_client import Gauge
from workerpool_kit.chain_metrics import LATEST_BLOCK

from workerpool_worker.app.replicate_context import Office
from workerpool_worker.app.supervisor import Supervisor

REPLICATES = Gauge("workerpool_worker_replicates", "Replicates that the worker holds.")
FREE_SLOTS = Gauge("workerpool_worker_free_slots", "Computing slots that no replicate uses.")
UNANSWERED_UPDATES = Gauge(
    "workerpool_worker_unanswered_updates", "Status updates without an answer of the scheduler."
)


def follow_worker(supervisor: Supervisor, office: Office) -> None:
    """Let the figures show the state of a running worker."""
    REPLICATES.set_function(lambda: len(supervisor.held()))
    FREE_SLOTS.set_function(lambda: supervisor.free_slots)
    UNANSWERED_UPDATES.set_function(lambda: len(office.outbox))
    LATEST_BLOCK.set_function(lambda: office.chain.head)
