"""The metrics of the SMS, with the names of the old stack (`iexec.sms.secrets.*`, dots as underscores)."""

from prometheus_client import Counter, Gauge

TABLES = ("web2", "web3", "compute", "tee_challenges", "ethereum_credentials")
"""The tables of the old stack; `compute` has the secrets of app developers and requesters."""
LIMITS = ("wallet", "total", "deposit", "disk")
"""The limits for which a secret is refused."""

_INITIAL = {
    table: Gauge(f"iexec_sms_secrets_{table}_initial", f"Rows of {table} when this process started")
    for table in TABLES
}
_STORED = {
    table: Gauge(f"iexec_sms_secrets_{table}_stored", f"Rows of {table}, counted every 30 s")
    for table in TABLES
}
_CACHED = {
    table: Gauge(f"iexec_sms_secrets_{table}_cached", f"Cached answers that a row of {table} exists")
    for table in TABLES
}
_ADDED = {
    table: Counter(f"iexec_sms_secrets_{table}_added", f"Rows of {table} that this process added")
    for table in TABLES
}


_REFUSED = Counter(
    "workerpool_sms_secrets_over_limit",
    "Secrets that were refused because of the limit of their wallet, of all wallets together (total), of the half that "
    "is reserved for wallets with a deposit, or of the disk",
    ["limit"],
)
for _limit in LIMITS:
    _REFUSED.labels(_limit)


class SecretMetrics:
    """The `Metrics` port over the counters and gauges of this process."""

    def __init__(self) -> None:
        self._counted: set[str] = set()

    def stored(self, table: str, rows: int) -> None:
        """Record the rows of a table; see `Metrics`."""
        if table not in self._counted:
            self._counted.add(table)
            _INITIAL[table].set(rows)
        _STORED[table].set(rows)

    def added(self, table: str) -> None:
        """Count a new row; see `Metrics`."""
        _ADDED[table].inc()

    def cached(self, table: str, rows: int) -> None:
        """Record the cached answers about a table; see `Metrics`."""
        _CACHED[table].set(rows)

    def refused(self, limit: str) -> None:
        """Count a secret over a limit of `LIMITS`; see `Metrics`."""
        _REFUSED.labels(limit).inc()
