"""What operators see of a wallet, as metrics."""

from prometheus_client import REGISTRY
from workerpool_transactions.app.status import status_of

from libs.transactions.tests.doubles.virtual_time import run
from libs.transactions.tests.doubles.wallet import Wallet


def test_counters_of_a_wallet_exist_before_their_first_event() -> None:
    """A rate over a series that starts at 1 is 0, so an alert on any filled nonce would miss the first one."""

    async def story() -> None:
        context = Wallet().context()
        status_of(context)
        for name in ("fillers", "replacements", "restored"):
            sample = f"workerpool_wallet_{name}_total"
            assert REGISTRY.get_sample_value(sample, {"wallet": context.wallet}) is not None
        for state in ("MINED", "REVERTED", "DISPLACED", "REFUSED"):
            labels = {"wallet": context.wallet, "state": state}
            assert REGISTRY.get_sample_value("workerpool_wallet_ended_total", labels) is not None

    run(story())
