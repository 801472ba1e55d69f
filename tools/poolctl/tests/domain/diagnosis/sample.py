"""Facts of a pool in which nothing is wrong."""

from dataclasses import replace
from typing import Any

from poolctl.domain.diagnosis.facts import (
    Certificate,
    Chain,
    Facts,
    Offered,
    Pool,
    Port,
    Service,
    Volume,
    Wallet,
)

NOW = 1_700_000_000.0
POOL, OWNER, OTHER = "0x" + "1a" * 20, "0x" + "2b" * 20, "0x" + "3c" * 20
UP = {"status": "UP", "components": {"database": {"status": "UP"}, "chain": {"status": "UP"}}}
GIB = 1 << 30

CORE = Service(
    "core",
    "https://core.example",
    Port("core.example:443"),
    Port("core.example:443"),
    health=UP,
    version="1.2.3",
    clock_offset_s=0.4,
    certificate=Certificate("https://core.example", NOW + 60 * 86_400),
)
ADAPTER = Service(
    "chain_adapter", "http://adapter:13010", Port("adapter:13010"), Port("adapter:23010"), UP, "1.2.3", 0.2
)
CHAIN = Chain("http://node", chain_id=134, block_time_s=5.0, head=1_000, head_time=NOW - 4, owner=OWNER)
WALLET = Wallet(OWNER, 10**18, 5_000, stake_nrlc=10**11)
HEALTHY = Facts(
    now=NOW,
    own_version="1.2.3",
    configured_pool=POOL,
    services=(CORE, ADAPTER),
    chain=CHAIN,
    wallet=WALLET,
    pool=Pool(POOL, 1_000, 1_000, 3),
    offered=Offered(10**9, 10),
    volumes=(Volume("/opt/core", 40 * GIB, 100 * GIB),),
)


def with_core(**changes: Any) -> Facts:
    """Return the facts with another core."""
    return replace(HEALTHY, services=(replace(CORE, **changes), ADAPTER))


def with_chain(**changes: Any) -> Facts:
    """Return the facts with another chain."""
    return replace(HEALTHY, chain=replace(CHAIN, **changes))


def with_wallet(**changes: Any) -> Facts:
    """Return the facts with another wallet."""
    return replace(HEALTHY, wallet=replace(WALLET, **changes))


def component(name: str, **details: Any) -> dict[str, Any]:
    """Return a health document in which one component is out of service."""
    return {
        "status": "OUT_OF_SERVICE",
        "components": {name: {"status": "OUT_OF_SERVICE", "details": details}},
    }
