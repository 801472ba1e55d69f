"""The metrics of every wallet that sends transactions, labelled by its address."""

from prometheus_client import Counter, Gauge

IN_FLIGHT = Gauge(
    "workerpool_wallet_in_flight", "Journaled transactions of the wallet that are not mined", ["wallet"]
)
OLDEST_UNMINED_SECONDS = Gauge(
    "workerpool_wallet_oldest_unmined_seconds",
    "Age of the oldest transaction in flight, 0 without one",
    ["wallet"],
)
REPLACEMENTS = Counter(
    "workerpool_wallet_replacements", "Transactions that were signed again at a higher fee", ["wallet"]
)
FILLERS = Counter(
    "workerpool_wallet_fillers", "Empty transfers that used a nonce which held back others", ["wallet"]
)
SENDS = Counter(
    "workerpool_wallet_sends", "Sends of signed transactions, by the node's answer", ["wallet", "outcome"]
)
ENDED = Counter("workerpool_wallet_ended", "Transactions that ended, by final state", ["wallet", "state"])
RESTORED = Counter(
    "workerpool_wallet_restored", "Mined transactions that a reorganisation put in flight again", ["wallet"]
)
BALANCE_WEI = Gauge("workerpool_wallet_balance_wei", "Balance of the wallet, in wei", ["wallet"])
TRANSACTIONS_LEFT = Gauge(
    "workerpool_wallet_transactions_left",
    "Transactions that the balance pays for at today's price; infinite when gas is free",
    ["wallet"],
)
PARKED = Gauge(
    "workerpool_wallet_parked",
    "1 while the wallet cannot send: no funds, or the fee is above the cap",
    ["wallet"],
)
TRANSACTION_COUNT = Gauge(
    "workerpool_wallet_transaction_count", "Transactions of the wallet that are mined", ["wallet"]
)
