"""Prometheus metrics of a process's calls to its blockchain node: providers bill them, and refuse too many."""

from prometheus_client import Counter

NODE_CALLS = Counter(
    "workerpool_node_calls",
    "Calls to the blockchain node by JSON-RPC method, repeated ones included.",
    ["method"],
)
NODE_THROTTLED = Counter(
    "workerpool_node_throttled", "Refusals of the blockchain node because of too many calls (HTTP 429)."
)


class NodeCalls:
    """Counts calls and refusals; the methods are those of this code, which bounds the number of series."""

    def called(self, method: str) -> None:
        """Count one call, also one in a batch."""
        NODE_CALLS.labels(method=method).inc()

    def throttled(self) -> None:
        """Count one refusal because of too many calls."""
        NODE_THROTTLED.inc()
