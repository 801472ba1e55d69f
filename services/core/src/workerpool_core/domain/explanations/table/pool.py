"""What hinders the pool as a whole."""

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
        "Nothing is assigned until it is back.",
        "problem",
    ),
    _R.NODE_BEHIND: _pool(
        Side.CHAIN,
        "The node of the chain is behind: it lost blocks, or another node took its place.",
        "Nothing is assigned until it has caught up.",
        "problem",
    ),
    _R.NODE_OF_ANOTHER_CHAIN: _pool(
        Side.CHAIN,
        "The node of the chain serves another chain.",
        "The operator corrects IEXEC_BLOCKCHAIN_NODE_ADDRESS; nothing is assigned before.",
        "problem",
    ),
    _R.ADAPTER_DOWN: _pool(
        Side.POOL,
        "The chain adapter, which sends the pool's transactions, does not answer or is not in service.",
        "The operator starts it or corrects its address; core asks again every few seconds.",
        "problem",
        "variable",
    ),
    _R.ADAPTER_REFUSES: _pool(
        Side.POOL,
        "The chain adapter refuses core's credentials, or another service stands at its address.",
        "The operator corrects the variable that the evidence names.",
        "problem",
        "variable",
    ),
    _R.ADAPTER_WALLET_PARKED: _pool(
        Side.POOL,
        "The chain adapter sends no transaction, most likely because its wallet is empty.",
        "The operator sends coins to the wallet of the pool; transactions go on by themselves.",
        "problem",
        "wallet",
        "balance_wei",
    ),
    _R.RESULT_PROXY_DOWN: _pool(
        Side.POOL,
        "The result proxy does not answer, or another service stands at its address.",
        "The operator starts it or corrects its address; uploads go on by themselves.",
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
        "The operator starts it; what was decided is stored then.",
        "problem",
        "variable",
    ),
    _R.CATCHING_UP: _pool(
        Side.CHAIN,
        "Core has not read all blocks up to the newest one, so deals in them are not known yet.",
        "Nothing is to be done: it reads on. `workerpool-core reset-cursor` skips old blocks.",
        "latest_block",
        "cursor_block",
    ),
}
"""The rows."""
