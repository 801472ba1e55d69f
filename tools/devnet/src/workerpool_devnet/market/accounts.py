"""Throw-away accounts of the devnet, with gas, RLC and stake."""

from __future__ import annotations

from collections.abc import Sequence

from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.keccak import keccak

from workerpool_devnet.chain.jsonrpc import JsonRpc
from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.market import artifacts
from workerpool_devnet.market.deployment import Contracts, Flavour

ETHER = 10**18
"""Wei in one ether."""
RLC = 10**9
"""nRLC in one RLC."""
NRLC = 10**9
"""Wei in one nRLC, in the native flavour."""

GAS_BALANCE = 100 * ETHER
"""Wei of a funded account."""
WALLET_RLC = 10_000 * RLC
"""nRLC in the wallet of a funded account, in addition to `GAS_BALANCE`."""
STAKE_RLC = 10_000 * RLC
"""nRLC that a funded account has deposited on the hub."""

_DEPLOYER = "deployer"


def private_key(role: str, seed: str = "") -> str:
    """Return the private key of a role in hexadecimal; see `derive`."""
    return "0x" + keccak(f"workerpool devnet {seed}: {role}".encode()).hex()


def derive(role: str, seed: str = "") -> Wallet:
    """Return the account of a role ("requester", "poolOwner", "spare", "worker-1" …), the same for the same seed.

    Without a seed the keys are public: never use them on another chain.
    """
    return Wallet.from_key(private_key(role, seed))


def deployer(rpc: JsonRpc) -> Wallet:
    """Return the account that deploys the contracts and owns all RLC, with gas for both."""
    account = derive(_DEPLOYER)
    _give_gas(rpc, [account])
    return account


def fund(rpc: JsonRpc, contracts: Contracts, accounts: Sequence[Wallet]) -> None:
    """Give every account gas (`GAS_BALANCE`), RLC (`WALLET_RLC`) and a deposit on the hub (`STAKE_RLC`)."""
    if contracts.flavour is Flavour.NATIVE:
        _fund_native(rpc, contracts, accounts)
        return
    _give_gas(rpc, accounts)
    treasury, outbox = derive(_DEPLOYER), Outbox(rpc)
    rlc = artifacts.rlc().at(rpc.web3, contracts.rlc)
    for account in accounts:
        transfer = rlc.functions.transfer(account.address, WALLET_RLC + STAKE_RLC)
        outbox.invoke(treasury, f"RLC for {account.address}", transfer, gas=100_000)
    outbox.flush()
    for account in accounts:
        # approveAndCall makes the hub pull the amount in the same transaction.
        deposit = rlc.functions.approveAndCall(contracts.hub, STAKE_RLC, b"")
        outbox.invoke(account, f"deposit of {account.address}", deposit, gas=300_000)
    outbox.flush()


def _fund_native(rpc: JsonRpc, contracts: Contracts, accounts: Sequence[Wallet]) -> None:
    _give_gas(rpc, accounts, GAS_BALANCE + (WALLET_RLC + STAKE_RLC) * NRLC)
    outbox, hub = Outbox(rpc), contracts.interface.at(rpc.web3, contracts.hub)
    for account in accounts:
        deposit = hub.functions.deposit()
        outbox.invoke(account, f"deposit of {account.address}", deposit, gas=300_000, value=STAKE_RLC * NRLC)
    outbox.flush()


def _give_gas(rpc: JsonRpc, accounts: Sequence[Wallet], wei: int = GAS_BALANCE) -> None:
    rpc.batch([("anvil_setBalance", [account.address, hex(wei)]) for account in accounts])
