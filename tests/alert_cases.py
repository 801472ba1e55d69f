"""For each alert: series that make it fire, and series that do not. Values are promtool's, one a minute."""

from typing import NamedTuple

CORE, ADAPTER, WORKER = (
    'instance="core:13000", job="core"',
    'instance="chain-adapter:13010", job="chain-adapter"',
    'instance="10.0.0.1:13100", job="worker"',
)
WORKERS = 'instance="core:13000", job="core-workers"'
_PROXY = 'instance="result-proxy:13200", job="result-proxy"'
_PUBLISHER = 'instance="order-publisher-std:13400", job="order-publisher"'


class Case(NamedTuple):
    """Series by name with labels, as values that fire and as values that do not, and the labels of what fires."""

    fires: dict[str, str]
    rests: dict[str, str]
    labels: dict[str, str]
    minutes: int = 20


def _labels(text: str) -> dict[str, str]:
    return {name: value.strip('"') for name, _, value in (each.partition("=") for each in text.split(", "))}


def _one(
    series: str, labels: str, fires: str, rests: str, *, kept: str | None = None, minutes: int = 20
) -> Case:
    name = f"{series}{{{labels}}}"
    return Case(
        {name: fires}, {name: rests}, _labels(labels if kept is None else kept) if kept != "" else {}, minutes
    )


_FULL, _ONE_MORE = "0+1x30", "0x10 1x20"
"""A counter that grows by one a minute, and one that grew once."""
_NEVER = "0x30"
_NAMED = f'wallet="0x12", name="one", version="1", os="linux", cpu="x86", {WORKERS}'

CASES = {
    "ServiceDown": _one("up", CORE, "0x30", "1x30"),
    "ComponentDown": _one("workerpool_component_up", f'component="chain", {CORE}', "0x30", "1x19 0x10"),
    "FilesRunOut": Case(
        {f"process_open_fds{{{CORE}}}": "900x30", f"process_max_fds{{{CORE}}}": "1000x30"},
        {f"process_open_fds{{{CORE}}}": "700x30", f"process_max_fds{{{CORE}}}": "1000x30"},
        _labels(CORE),
    ),
    "NoWorker": _one("iexec_core_workers", CORE, "0x30", "1x30"),
    "WorkerAway": Case(
        {f'workerpool_core_worker_info{{state="disconnected", {_NAMED}}}': "1x30"},
        {f'workerpool_core_worker_info{{state="idle", {_NAMED}}}': "1x30"},
        _labels(f'state="disconnected", {_NAMED}'),
    ),
    "WorkerQuarantined": Case(
        {f'workerpool_core_worker_info{{state="quarantined", {_NAMED}}}': "1x30"},
        {f'workerpool_core_worker_info{{state="drained", {_NAMED}}}': "1x30"},
        _labels(f'state="quarantined", {_NAMED}'),
    ),
    "WorkerParked": Case(
        {f'workerpool_core_worker_info{{state="parked", {_NAMED}}}': "1x30"},
        {f'workerpool_core_worker_info{{state="parked", {_NAMED}}}': "_x15 1x10"},
        _labels(f'state="parked", {_NAMED}'),
    ),
    "WorkerFails": _one(
        "workerpool_core_worker_replicates_total",
        f'wallet="0x12", outcome="failed", {WORKERS}',
        "0+1x70",
        "0x30 3x60",
        minutes=65,
    ),
    "TaskWaits": _one("workerpool_core_queue_oldest_seconds", CORE, "601x30", "600x30"),
    "TasksFailByPool": Case(
        {f'workerpool_core_task_failures_total{{status="FAILED", side="worker", {CORE}}}': _ONE_MORE},
        {f'workerpool_core_task_failures_total{{status="FAILED", side="app", {CORE}}}': _FULL},
        {},
    ),
    "TasksUnreached": _one("workerpool_core_tasks_unreached_total", CORE, _ONE_MORE, _NEVER),
    "ResultsIncomplete": _one("workerpool_result_incomplete_reads_total", _PROXY, _ONE_MORE, _NEVER),
    "UploadsRefused": Case(
        {f'workerpool_result_uploads_total{{outcome="NO_ROOM", {_PROXY}}}': _FULL},
        {
            f'workerpool_result_uploads_total{{outcome="stored", {_PROXY}}}': _FULL,
            f'workerpool_result_uploads_total{{outcome="NO_ROOM", {_PROXY}}}': _ONE_MORE,
        },
        {"outcome": "NO_ROOM"},
    ),
    "ChainStale": _one("workerpool_core_head_timestamp_seconds", CORE, "900x30", "0+60x30"),
    "ChainLag": Case(
        {
            f"iexec_chain_block_latest{{{CORE}}}": "121x30",
            f"workerpool_core_cursor_block{{{CORE}}}": "100x30",
        },
        {
            f"iexec_chain_block_latest{{{CORE}}}": "120x30",
            f"workerpool_core_cursor_block{{{CORE}}}": "100x30",
        },
        {"instance": "core:13000"},
    ),
    "NodeThrottles": _one(
        "workerpool_node_throttled_total", ADAPTER, "0x15 1x15", _NEVER, kept='job="chain-adapter"'
    ),
    "WalletParked": _one("workerpool_wallet_parked", f'wallet="0x12", {ADAPTER}', "1x30", "0x30"),
    "WalletRunsDry": _one(
        "workerpool_wallet_transactions_left", f'wallet="0x12", {ADAPTER}', "99x30", "100x30"
    ),
    "WorkerWalletRunsDry": _one(
        "workerpool_wallet_transactions_left", f'wallet="0x12", {WORKER}', "19x30", "20x30"
    ),
    "TransactionStuck": _one(
        "workerpool_wallet_oldest_unmined_seconds", f'wallet="0x12", {ADAPTER}', "121x30", "120x30"
    ),
    "TransactionsAtLimit": _one("workerpool_wallet_in_flight", f'wallet="0x12", {ADAPTER}', "64x30", "63x30"),
    "TransactionReverted": Case(
        {f'workerpool_wallet_ended_total{{wallet="0x12", state="REVERTED", {ADAPTER}}}': "0x15 1x15"},
        {f'workerpool_wallet_ended_total{{wallet="0x12", state="FINAL", {ADAPTER}}}': _FULL},
        {"wallet": "0x12", "state": "REVERTED"},
    ),
    "NonceFilled": _one("workerpool_wallet_fillers_total", f'wallet="0x12", {ADAPTER}', _ONE_MORE, _NEVER),
    "FeesReplaced": _one(
        "workerpool_wallet_replacements_total", f'wallet="0x12", {ADAPTER}', "0+2x30", _FULL
    ),
    "ReorganisationsMany": _one(
        "workerpool_wallet_restored_total", f'wallet="0x12", {ADAPTER}', _FULL, _ONE_MORE
    ),
    "CommandFailed": Case(
        {f'iexec_poco_command_total{{kind="finalize", state="FAILURE", {ADAPTER}}}': "0x15 1x15"},
        {f'iexec_poco_command_total{{kind="finalize", state="SUCCESS", {ADAPTER}}}': _FULL},
        {"kind": "finalize"},
    ),
    "CommandsWait": _one("iexec_poco_command_waiting", ADAPTER, "1x30", "1x18 0x10"),
    "NoOffer": Case(
        {
            f"workerpool_orders_capacity{{{_PUBLISHER}}}": "3x30",
            f"workerpool_orders_open{{{_PUBLISHER}}}": "0x30",
        },
        {
            f"workerpool_orders_capacity{{{_PUBLISHER}}}": "3x30",
            f"workerpool_orders_open{{{_PUBLISHER}}}": "1x30",
        },
        _labels(_PUBLISHER),
    ),
    "OrdersRefused": _one("workerpool_orders_refused_total", _PUBLISHER, "0x15 1x15", _NEVER),
}
