"""The worker's own Prometheus metrics."""

from prometheus_client import Gauge
from workerpool_kit.chain.metrics import LATEST_BLOCK

from workerpool_worker.app.replicate_context import ReplicateContext
from workerpool_worker.app.supervisor import Supervisor

REPLICATES = Gauge("workerpool_worker_replicates", "Replicates that the worker holds.")
FREE_SLOTS = Gauge("workerpool_worker_free_slots", "Computing slots that no replicate occupies.")
UNANSWERED_UPDATES = Gauge(
    "workerpool_worker_unanswered_updates", "Status updates that the scheduler has not answered."
)

GPUS = Gauge("workerpool_worker_gpus", "GPUs of the host that apps of the worker get.")
GPUS_IN_USE = Gauge("workerpool_worker_gpus_in_use", "GPUs of the tasks that the worker computes.")


def follow_worker(supervisor: Supervisor, context: ReplicateContext, gpus: int) -> None:
    """Read the gauges from the state of a running worker, on a host that has `gpus` for its apps."""
    GPUS.set(gpus)
    GPUS_IN_USE.set_function(lambda: supervisor.gpus_in_use)
    REPLICATES.set_function(lambda: len(supervisor.held()))
    FREE_SLOTS.set_function(lambda: supervisor.free_slots)
    UNANSWERED_UPDATES.set_function(lambda: len(context.outbox))
    LATEST_BLOCK.set_function(lambda: context.chain.head)
