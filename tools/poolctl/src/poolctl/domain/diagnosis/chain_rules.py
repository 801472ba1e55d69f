"""What the chain shows: the node, the pool and its owner, wallet and stake, and whether core keeps up."""

from collections.abc import Iterator

from workerpool_kit.text.spans import span
from workerpool_poco.protocol.encoding.amounts import coins, rlc

from poolctl.domain.diagnosis.facts import Facts
from poolctl.domain.diagnosis.findings import Code, Finding, ok, problem, skipped, warning

_LEAST, _COMFORTABLE = 10, 100
"""Transactions that the wallet should be able to pay: the adapter stops below the first."""
_LAG_S, _LAG_BLOCKS = 60.0, 3
"""Core is behind when it lacks blocks of a minute, and at least three."""


def node(facts: Facts) -> Iterator[Finding]:
    """Judge the node of the chain."""
    chain = facts.chain
    if chain is None:
        yield skipped("node", "IEXEC_BLOCKCHAIN_NODE_ADDRESS, or a config server that names a node")
    elif chain.problem:
        code = Code.WRONG_CHAIN if chain.wrong_chain else Code.NODE_UNREACHABLE
        yield problem(
            "node",
            code,
            f"the node {chain.node_url} cannot be used: {chain.problem}",
            "without the chain no deal is seen and no transaction is sent",
            "start the node, or name another one of the pool's chain with IEXEC_BLOCKCHAIN_NODE_ADDRESS (--node-url)",
        )
    else:
        yield ok("node", f"{chain.node_url}: chain {chain.chain_id}, block {chain.head}")


def behind(facts: Facts) -> Iterator[Finding]:
    """Judge whether core has read the chain up to its head."""
    chain, pool = facts.chain, facts.pool
    if chain is None or chain.problem or pool is None:
        yield skipped("chain", "core and a node")
        return
    missing = chain.head - pool.cursor_block
    lag_s = missing * chain.block_time_s
    if missing < _LAG_BLOCKS or lag_s < _LAG_S:
        yield ok(
            "chain", f"core has read the chain up to block {pool.cursor_block}, the newest is {chain.head}"
        )
        return
    stuck_node = pool.latest_block - pool.cursor_block < _LAG_BLOCKS
    yield problem(
        "chain",
        Code.CHAIN_BEHIND,
        f"core is {missing} blocks ({span(lag_s)}) behind the chain: it has read up to block {pool.cursor_block}",
        f"the newest block of core's own node is {pool.latest_block}: that node is behind or away"
        if stuck_node
        else "core is catching up: deals in the missing blocks are not known yet",
        "give core a node that follows the chain (IEXEC_BLOCKCHAIN_NODE_ADDRESS)"
        if stuck_node
        else "wait, and run doctor again; if the distance grows, the node refuses ranges of logs: read core's log",
    )


def owner(facts: Facts) -> Iterator[Finding]:
    """Judge whether the pool exists, is the one that core serves, and belongs to the wallet that signs."""
    chain, pool, wallet = facts.chain, facts.pool, facts.wallet
    if pool is not None and facts.configured_pool and facts.configured_pool.lower() != pool.address.lower():
        yield problem(
            "pool",
            Code.WRONG_POOL,
            f"core serves the workerpool {pool.address}, but POOL_ADDRESS is {facts.configured_pool}",
            "the settings name another pool, or poolctl queries another pool's core",
            "correct POOL_ADDRESS (PROD_POOL_ADDRESS), or IEXEC_CORE_URL (--core-url)",
        )
    named = facts.configured_pool or (pool.address if pool is not None else "")
    if chain is None or chain.problem:
        yield skipped("owner", "a node of the chain")
    elif not chain.pool_exists:
        yield problem(
            "owner",
            Code.WRONG_POOL,
            f"there is no workerpool {named} on chain {chain.chain_id}",
            "the address has a typing mistake, or the pool is on another chain",
            "correct POOL_ADDRESS, or register a pool with poolctl init",
        )
    elif not chain.owner or wallet is None:
        yield skipped("owner", "POOL_ADDRESS and the credentials of the chain adapter")
    elif chain.owner.lower() != wallet.address.lower():
        yield problem(
            "owner",
            Code.WRONG_POOL_OWNER,
            f"the workerpool belongs to {chain.owner}, but the pool's wallet is {wallet.address}",
            "the contracts refuse this wallet's authorizations and its finalize transactions",
            "use the owner's wallet (IEXEC_CORE_WALLET_PATH and that of the chain adapter), or transfer the workerpool",
        )
    else:
        yield ok("owner", f"the workerpool belongs to the pool's wallet {wallet.address}")


def wallet(facts: Facts) -> Iterator[Finding]:
    """Judge whether the wallet can pay for transactions."""
    found = facts.wallet
    if found is None:
        yield skipped("wallet", "the credentials of the chain adapter")
        return
    left = found.transactions_left
    send = f"send coins for gas to {found.address}"
    if left is not None and left < _LEAST:
        yield problem(
            "wallet",
            Code.EMPTY_WALLET,
            f"the wallet {found.address} has {coins(found.balance_wei)}, enough for {left} transactions",
            "no task is initialized or finalized without coins for gas",
            send,
        )
    elif found.parked_reason:
        yield problem(
            "wallet",
            Code.WALLET_PARKED,
            f"the wallet {found.address} sends nothing: {found.parked_reason}",
            "tasks wait for their initialize and finalize transactions",
            "resolve the reason; the adapter then continues",
        )
    elif left is not None and left < _COMFORTABLE:
        yield warning(
            "wallet",
            Code.EMPTY_WALLET,
            f"the wallet {found.address} has {coins(found.balance_wei)}, enough for {left} transactions",
            f"below {_LEAST} transactions the adapter stops",
            send,
        )
    else:
        paid = "gas is free" if left is None else f"enough for {left} transactions"
        yield ok("wallet", f"{found.address} has {coins(found.balance_wei)}, {paid}")


def stake(facts: Facts) -> Iterator[Finding]:
    """Judge whether the owner's stake covers what the pool sells."""
    found, offered, chain = facts.wallet, facts.offered, facts.chain
    if found is None or found.stake_nrlc is None or chain is None:
        yield skipped("stake", "the wallet and a node of the chain")
        return
    price = offered.price if offered is not None else 0
    per_task = price * chain.stake_ratio // 100
    on_offer = max(offered.open_volume, 1) if offered is not None else 1
    needed = per_task * on_offer
    if not per_task:
        yield ok("stake", f"{rlc(found.stake_nrlc)} are free; free tasks need none")
    elif found.stake_nrlc < needed:
        yield problem(
            "stake",
            Code.LOW_STAKE,
            f"the owner's free stake is {rlc(found.stake_nrlc)}, and {on_offer} tasks on offer lock {rlc(needed)}",
            f"the hub locks {chain.stake_ratio} % of the price of each sold task; a purchase without it reverts",
            f"deposit {rlc(needed - found.stake_nrlc)} more (poolctl init --stake), or lower the price",
        )
    else:
        yield ok(
            "stake", f"{rlc(found.stake_nrlc)} are free, {rlc(needed)} are needed for the tasks on offer"
        )


def workers(facts: Facts) -> Iterator[Finding]:
    """Judge whether the pool has a worker."""
    pool = facts.pool
    if pool is None:
        yield skipped("workers", "core")
    elif not pool.alive_workers:
        yield warning(
            "workers",
            Code.NO_WORKERS,
            "no worker is connected",
            "tasks that are bought now wait, and are refunded at their deadline",
            "start a worker; if one runs, poolworker check on its host shows why it is not connected",
        )
    else:
        yield ok("workers", f"{pool.alive_workers} workers are alive")
