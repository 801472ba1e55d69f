"""The dashboard of the chain: its blocks, the calls to its node, and the wallets."""

from monitoring.panels import Page, Query, quantiles
from monitoring.pool import CORE_LAG

_ADAPTER = '{job="chain-adapter"}'


def chain_page() -> Page:
    """Return the dashboard."""
    page = Page(
        "workerpool-chain", "Chain and wallets", "Whether the chain is followed, and transactions are mined."
    )
    _blocks(page)
    _wallets(page)
    _commands(page)
    return page


def _blocks(page: Page) -> None:
    page.row("Chain")
    page.graph(
        "Lag",
        [Query(CORE_LAG, "blocks not handled by core")],
        "Blocks that core knows of and has not handled.",
        width=8,
    )
    page.graph(
        "Age of the newest block",
        [Query("time() - workerpool_core_head_timestamp_seconds", "age")],
        "Seconds since the newest block that core has seen, by the clocks of the chain and of Prometheus.",
        unit="s",
        width=8,
    )
    page.graph(
        "Newest block",
        [Query("max by (job) (iexec_chain_block_latest)", "{{job}}")],
        "The newest block that the processes have seen.",
        width=8,
    )
    page.graph(
        "Calls to the node",
        [Query("sum by (job) (rate(workerpool_node_calls_total[$__rate_interval]))", "{{job}}")],
        "JSON-RPC calls per second. Compare them with the plan of the node's provider.",
        unit="reqps",
        width=8,
    )
    page.graph(
        "Calls by method",
        [
            Query(
                "topk(8, sum by (method) (rate(workerpool_node_calls_total[$__rate_interval])))", "{{method}}"
            )
        ],
        "The most frequent JSON-RPC methods.",
        unit="reqps",
        width=8,
    )
    page.graph(
        "Refused by the rate limit",
        [Query("sum by (job) (increase(workerpool_node_throttled_total[10m]))", "{{job}}")],
        "Calls of ten minutes that the node refused. WORKERPOOL_NODE_CALLS_PER_SECOND sets a limit.",
        width=8,
    )


def _wallets(page: Page) -> None:
    page.row("Wallet of the pool owner")
    page.graph(
        "Transactions left",
        [Query(f"workerpool_wallet_transactions_left{_ADAPTER}", "{{wallet}}")],
        "Transactions that the balance pays for at today's price; no curve while gas is free.",
        width=8,
    )
    page.graph(
        "Balance",
        [Query(f"workerpool_wallet_balance_wei{_ADAPTER} / 1e18", "{{wallet}}")],
        "Coins of the chain.",
        width=8,
    )
    page.graph(
        "Oldest unmined",
        [Query(f"workerpool_wallet_oldest_unmined_seconds{_ADAPTER}", "{{wallet}}")],
        "Age of the oldest transaction that is not mined.",
        unit="s",
        width=8,
    )
    page.graph(
        "In flight",
        [Query(f"workerpool_wallet_in_flight{_ADAPTER}", "{{wallet}}")],
        "Journaled transactions that are not mined.",
        width=8,
    )
    page.graph(
        "Sent and ended per hour",
        [
            Query(f"sum by (outcome) (increase(workerpool_wallet_sends_total{_ADAPTER}[1h]))", "{{outcome}}"),
            Query(f"sum by (state) (increase(workerpool_wallet_ended_total{_ADAPTER}[1h]))", "{{state}}"),
        ],
        "Answers of the node to sends, and final states of transactions.",
        width=8,
    )
    page.graph(
        "Replaced, filled, restored per hour",
        [
            Query("sum(increase(workerpool_wallet_replacements_total[1h]))", "signed again at a higher fee"),
            Query("sum(increase(workerpool_wallet_fillers_total[1h]))", "nonces filled"),
            Query("sum(increase(workerpool_wallet_restored_total[1h]))", "restored after a reorganisation"),
        ],
        "Replacements, fillers and restored transactions of the pool owner's and of scraped workers' wallets.",
        width=8,
    )


def _commands(page: Page) -> None:
    page.row("Commands of the pool: initialize, finalize, reopen, claim")
    page.graph(
        "Commands per hour",
        [Query("sum by (kind, state) (increase(iexec_poco_command_total[1h]))", "{{kind}} {{state}}")],
        "Commands that ended. FAILURE: the log line command.failed has the reason.",
        width=8,
        stacked=True,
    )
    page.graph(
        "Commands in no transaction",
        [Query("iexec_poco_command_waiting", "waiting")],
        "Commands that wait to be sent.",
        width=8,
    )
    page.graph(
        "Duration of commands",
        [
            Query(query.expression, f"{name} {query.legend}")
            for name in ("send", "effect")
            for query in quantiles(f"iexec_poco_command_{name}_seconds")
        ],
        "From the request of a command to its first transaction, and to its effect.",
        unit="s",
        width=8,
    )
