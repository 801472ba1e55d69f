"""The metrics keep the names of the old stack."""

from prometheus_client import generate_latest
from workerpool_sms.domain.limits import Limit
from workerpool_sms.metrics import LIMITS, TABLES, SecretMetrics


def test_every_table_has_its_four_metrics() -> None:
    metrics = SecretMetrics()
    for table in TABLES:
        metrics.stored(table, 5)
        metrics.stored(table, 7)
        metrics.cached(table, 2)
        metrics.added(table)
    assert set(LIMITS) == set(Limit)
    for limit in Limit:
        metrics.refused(limit)
    text = generate_latest().decode()
    for limit in Limit:
        assert f'workerpool_sms_secrets_over_limit_total{{limit="{limit}"}}' in text
    for table in TABLES:
        assert f"iexec_sms_secrets_{table}_initial 5.0" in text
        assert f"iexec_sms_secrets_{table}_stored 7.0" in text
        assert f"iexec_sms_secrets_{table}_cached 2.0" in text
        assert f"iexec_sms_secrets_{table}_added_total " in text
