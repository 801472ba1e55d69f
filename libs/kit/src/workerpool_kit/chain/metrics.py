"""Prometheus metrics of processes that follow the chain by one node. Core exports the same name from a collector."""

from prometheus_client import Gauge

LATEST_BLOCK = Gauge("iexec_chain_block_latest", "Number of the latest block seen.")
