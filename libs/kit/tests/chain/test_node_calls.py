from prometheus_client import REGISTRY
from workerpool_kit.chain.node_calls import NodeCalls


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


def test_calls_are_counted_by_method_and_refusals_together() -> None:
    before = sample("workerpool_node_throttled_total")
    calls = NodeCalls()
    calls.called("eth_testCall")
    calls.called("eth_testCall")
    calls.throttled()
    assert sample("workerpool_node_calls_total", method="eth_testCall") == 2
    assert sample("workerpool_node_throttled_total") == before + 1
