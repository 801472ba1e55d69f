"""Deal parameters that this worker decides on before it downloads anything."""

from workerpool_worker.domain.assignment import Task

_STORAGE_PROVIDERS = frozenset({"", "ipfs"})


def params_problem(task: Task) -> str | None:
    """Return why no worker of this kind can serve the deal's parameters, as a sentence; None if one can.

    A result that the requester wants encrypted is never published as plain text.
    """
    if task.result_encryption:
        return "iexec_result_encryption requires an encrypted result, which only enclave tasks support"
    return None


def storage_fallback(task: Task, pool_proxy: str) -> str | None:
    """Return which parameter about the result's storage is ignored and why, as a sentence; None if none is.

    The result then goes to the pool's own proxy: older clients write a provider and a proxy by default. A worker signs
    only for the proxy that its pool names, because a signature for a stranger lets it upload in the worker's name.
    """
    if task.result_storage_provider.lower() not in _STORAGE_PROVIDERS:
        return (
            f"iexec_result_storage_provider {task.result_storage_provider[:80]!r} is unknown to standard tasks; "
            "the result goes to ipfs"
        )
    if task.result_storage_proxy and not is_same_proxy(task.result_storage_proxy, pool_proxy):
        return (
            f"iexec_result_storage_proxy {task.result_storage_proxy[:200]!r} is not the pool's; "
            f"the result goes to {pool_proxy}"
        )
    return None


def is_same_proxy(url: str, pool_proxy: str) -> bool:
    """Return whether a requester's URL names the pool's proxy."""
    return url.strip().rstrip("/").lower() == pool_proxy.strip().rstrip("/").lower()
