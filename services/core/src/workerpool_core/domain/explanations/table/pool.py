"""What blocks the pool as a whole."""

from collections.abc import Mapping

from workerpool_poco.protocol.causes import Side

from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.table.meaning import Meaning, Subject

_R = ReasonCode


def _pool(side: Side, meaning: str, next_step: str, *evidence: str) -> Meaning:
    return Meaning(Subject.POOL, side, meaning, next_step, evidence)


POOL: Mapping[ReasonCode, Meaning] = {
    _R.NODE_DOWN: _pool(
        Side.CHAIN,
        "The node of the chain does not answer.",
        "Core assigns nothing until it answers.",
        "problem",
    ),
    _R.NODE_BEHIND: _pool(
        Side.CHAIN,
        "The node of the chain lags: it lost blocks, or was replaced by another node.",
        "Core assigns nothing until it has caught up.",
        "problem",
    ),
    _R.NODE_OF_ANOTHER_CHAIN: _pool(
        Side.CHAIN,
        "The node of the chain serves another chain.",
        "The operator corrects IEXEC_BLOCKCHAIN_NODE_ADDRESS; core assigns nothing before.",
        "problem",
    ),
    _R.ADAPTER_DOWN: _pool(
        Side.POOL,
        "The chain adapter, which sends the pool's transactions, does not answer or is not in service.",
        "The operator starts it or corrects its address; core retries every few seconds.",
        "problem",
        "variable",
    ),
    _R.ADAPTER_REFUSES: _pool(
        Side.POOL,
        "The chain adapter refuses core's credentials, or another service answers at its address.",
        "The operator corrects the variable that the evidence names.",
        "problem",
        "variable",
    ),
    _R.ADAPTER_WALLET_PARKED: _pool(
        Side.POOL,
        "The chain adapter sends no transaction, most likely because its wallet is empty.",
        "The operator funds the wallet of the pool; transactions then resume.",
        "problem",
        "wallet",
        "balance_wei",
    ),
    _R.RESULT_PROXY_DOWN: _pool(
        Side.POOL,
        "The result proxy does not answer, or another service answers at its address.",
        "The operator starts it or corrects its address; uploads then resume.",
        "problem",
        "variable",
    ),
    _R.CONFIG_SERVER_DOWN: _pool(
        Side.POOL,
        "The config server does not answer, or names another chain. Workers that start now cannot read it.",
        "The operator starts it or corrects its address.",
        "problem",
        "variable",
    ),
    _R.DATABASE_DOWN: _pool(
        Side.POOL,
        "The database does not answer.",
        "The operator starts it; core then stores its pending writes.",
        "problem",
        "variable",
    ),
    _R.CATCHING_UP: _pool(
        Side.CHAIN,
        "Core has not read all blocks up to the newest one, so it does not know the deals in them yet.",
        "No action is needed: core catches up. `workerpool-core reset-cursor` skips old blocks.",
        "latest_block",
        "cursor_block",
    ),
}
"""The rows."""
