"""The metrics of commands, with the documented names of the iExec blockchain adapter where they exist.


Those of the wallet and its transactions are in `workerpool_transactions.metrics`.
"""

from prometheus_client import Counter, Gauge, Histogram

TRANSACTIONS = Counter(
    "iexec_poco_transaction",
    "Transactions that ended, by contract function and outcome",
    ["method", "status"],
)
COMMANDS = Counter("iexec_poco_command", "Commands that ended, by kind and state", ["kind", "state"])
TX_COUNT = Gauge(
    "iexec_chain_wallet_tx_count",
    "Transaction count of the wallet: mined, and with those in flight",
    ["block"],
)
WAITING = Gauge("iexec_poco_command_waiting", "Commands without a transaction")

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
SEND_SECONDS = Histogram(
    "iexec_poco_command_send_seconds", "From the request of a command to its first transaction", buckets=_FAST
)
EFFECT_SECONDS = Histogram(
    "iexec_poco_command_effect_seconds",
    "From the request of a command to the observation of its effect",
    buckets=(*_FAST, 30, 60, 300),
)
