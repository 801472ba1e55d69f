"""The `.env` of a pool: the variables of the pool, and a merge that keeps what an operator wrote."""

from collections.abc import Mapping
from dataclasses import dataclass

_SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "The chain",
        (
            "CHAIN_ID",
            "CHAIN_URL",
            "CHAIN_HUB_ADDRESS",
            "CHAIN_IS_SIDECHAIN",
            "CHAIN_BLOCK_TIME",
            "CHAIN_LAST_BLOCK",
        ),
    ),
    (
        "The pool",
        (
            "PROD_POOL_ADDRESS",
            "WORKERPOOL_DESCRIPTION",
            "WORKERPOOL_PRICE",
            "ORDER_PUBLISHER_REQUESTER_RESTRICT",
        ),
    ),
    (
        "Where its services are reached: a static IP address or a DNS name",
        (
            "PROD_CORE_HOST",
            "PROD_CHAIN_ADAPTER_HOST",
            "PROD_GRAFANA_HOST",
            "GRAFANA_HOME_NAME",
            "MARKET_API_URL",
        ),
    ),
    (
        "Secrets: files that only their owner can read",
        (
            "PROD_CORE_WALLET",
            "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD_FILE",
            "IEXEC_CORE_OPERATOR_USERNAME",
            "IEXEC_CORE_OPERATOR_PASSWORD_FILE",
        ),
    ),
    (
        "The worker: copy its wallet and password to its host, and delete this part here",
        ("WALLET", "PROD_WALLET_PASSWORD_FILE", "WORKER_AVAILABLE_CPU"),
    ),
)
_TITLE = "# Settings of this workerpool, written by `poolctl init`. Lines that you add or change are kept.\n"


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """What init knows at its end."""

    chain_id: int
    node_url: str
    hub: str
    free_gas: bool
    block_time_s: float
    head: int
    pool: str
    description: str
    price: int | None
    """nRLC; None leaves the price to the operator, which means free tasks."""
    host: str
    market_url: str


def variables(facts: PoolFacts) -> dict[str, str]:
    """Return the variables of a pool."""
    return {
        "CHAIN_ID": str(facts.chain_id),
        "CHAIN_URL": facts.node_url,
        "CHAIN_HUB_ADDRESS": facts.hub,
        "CHAIN_IS_SIDECHAIN": str(facts.free_gas).lower(),
        "CHAIN_BLOCK_TIME": f"PT{facts.block_time_s:g}S",
        "CHAIN_LAST_BLOCK": str(facts.head),
        "PROD_POOL_ADDRESS": facts.pool,
        "WORKERPOOL_DESCRIPTION": facts.description,
        "WORKERPOOL_PRICE": "0" if facts.price is None else str(facts.price),
        "ORDER_PUBLISHER_REQUESTER_RESTRICT": "",
        "PROD_CORE_HOST": facts.host,
        "PROD_CHAIN_ADAPTER_HOST": facts.host,
        "PROD_GRAFANA_HOST": facts.host,
        "GRAFANA_HOME_NAME": facts.description,
        "MARKET_API_URL": facts.market_url,
        "PROD_CORE_WALLET": "./core_wallet.json",
        "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD_FILE": "./secrets/chain-adapter-password",
        "IEXEC_CORE_OPERATOR_USERNAME": "operator",
        "IEXEC_CORE_OPERATOR_PASSWORD_FILE": "./secrets/core-operator-password",
        "WALLET": "./worker_wallet.json",
        "PROD_WALLET_PASSWORD_FILE": "./secrets/worker-wallet-password",
        "WORKER_AVAILABLE_CPU": "",
    }


_DECIDED = ("CHAIN_ID", "CHAIN_HUB_ADDRESS", "PROD_POOL_ADDRESS")
"""Variables that follow from the chain: another value in `.env` belongs to another pool."""
_REPLACED_BY_VALUE = "_FILE"


def conflicts(present: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """Return the variables whose values in `.env` belong to another pool or chain."""
    return [name for name in _DECIDED if present.get(name) and present[name].lower() != wanted[name].lower()]


def missing(present: Mapping[str, str], names: frozenset[str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that `.env` lacks.

    Args:
        present: the variables of `.env` with their values.
        names: every name that a line of `.env` sets, also to nothing.
        wanted: the variables of the pool.
    """
    return {
        name: value
        for name, value in wanted.items()
        if name not in names
        # A password that stands in `.env` itself replaces the file.
        and not (name.endswith(_REPLACED_BY_VALUE) and present.get(name.removesuffix(_REPLACED_BY_VALUE)))
    }


def merged(text: str, added: Mapping[str, str]) -> str:
    """Return the text of `.env` with further variables at its end, under the headings of their sections."""
    parts = [text.rstrip("\n") + "\n"] if text.strip() else [_TITLE]
    for title, names in _SECTIONS:
        lines = [f"{name}={_quoted(added[name])}" for name in names if name in added]
        if lines:
            parts.append(f"\n# {title}\n" + "\n".join(lines) + "\n")
    return "".join(parts)


def _quoted(value: str) -> str:
    """Return a value as docker compose reads it back: in single quotes when a character has a meaning there."""
    if value and not all(each.isalnum() or each in "_-./:@%+," for each in value):
        return "'" + value.replace("'", "\\'") + "'"
    return value


def names_set(text: str) -> frozenset[str]:
    """Return every variable that a line of `.env` sets, also to nothing."""
    lines = (line.strip().removeprefix("export ") for line in text.splitlines())
    return frozenset(
        line.partition("=")[0].strip() for line in lines if "=" in line and not line.startswith("#")
    )
