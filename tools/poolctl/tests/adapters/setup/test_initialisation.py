"""`poolctl init` against the real contracts: planned, stopped without coins, continued, and repeatable."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from poolctl.adapters.chain import hub_of
from poolctl.adapters.pool_folder import read_env
from poolctl.adapters.setup.initialisation import Target, initialisation
from poolctl.adapters.setup.sender import sender
from poolctl.cli.app import app
from poolctl.domain.setup.plan import CORE_WALLET, WORKER_WALLET, Wishes
from poolctl.errors import EXIT_OK, EXIT_PROBLEM, EXIT_USAGE, CommandFailed
from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.market import accounts, artifacts
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.protocol.contracts import calls

ONE_RLC = 10**9
WISHES = ["--description", "a pool of init", "--stake", "10", "--worker-stake", "2", "--price", "0.5"]
POLICY = ["--worker-stake-ratio", "35", "--reward-ratio", "5"]


class Init:
    """Runs `poolctl init` in a folder, on a chain."""

    def __init__(self, folder: Path, chain: PocoChain) -> None:
        self.folder = folder
        self._environment = {
            "CHAIN_ID": str(chain.chain_id),
            "CHAIN_URL": chain.url,
            "CHAIN_HUB_ADDRESS": chain.hub,
            "NO_COLOR": "1",
        }

    def __call__(self, *arguments: str) -> Any:
        command = ["--pool-dir", str(self.folder), "init", *WISHES, *POLICY, "-o", "json", *arguments]
        result = CliRunner().invoke(app, command, env=self._environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def document(self, *arguments: str) -> dict[str, Any]:
        result = self(*arguments)
        assert result.exit_code == EXIT_OK, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found


def fund(chain: PocoChain, address: str, nrlc: int) -> None:
    """Give a wallet coins and RLC."""
    rpc = chain.chain.rpc
    rpc.call("anvil_setBalance", address, hex(10**18))
    outbox = Outbox(rpc)
    transfer = artifacts.rlc().at(rpc.web3, chain.contracts.rlc).functions.transfer(address, nrlc)
    outbox.invoke(accounts.deployer(rpc), "RLC", transfer)
    outbox.flush()


def nonce(chain: PocoChain, address: str) -> int:
    return int(chain.chain.rpc.call("eth_getTransactionCount", address, "latest"), 16)


def view(chain: PocoChain, function: str, *arguments: object) -> Any:
    return chain.market.hub.functions[function](*arguments).call()


@pytest.fixture
def init_command(fresh_poco_chain: PocoChain, tmp_path: Path) -> Init:
    return Init(tmp_path / "pool", fresh_poco_chain)


def test_a_dry_run_plans_everything_and_changes_nothing(init_command: Init) -> None:
    document = init_command.document("--dry-run")
    assert not document["executed"]
    assert not any(step["was_done"] for step in document["steps"])
    assert {step["kind"] for step in document["steps"]} == {
        *("password", "wallet", "register", "policy", "stake", "worker-stake", "env")
    }
    assert not init_command.folder.exists()


def test_a_pool_is_made_from_nothing_in_several_runs(init_command: Init, fresh_poco_chain: PocoChain) -> None:
    chain = fresh_poco_chain
    stopped = init_command("--yes")
    assert stopped.exit_code == EXIT_PROBLEM
    assert "send it RLC" in stopped.output
    assert "run init again" in stopped.output
    assert (init_command.folder / CORE_WALLET).is_file()
    assert not (init_command.folder / ".env").exists()

    planned = init_command.document("--dry-run")
    fund(chain, planned["owner"], 12 * ONE_RLC)
    fund(chain, planned["worker"], 2 * ONE_RLC)
    unconfirmed = init_command()
    assert (unconfirmed.exit_code, "--yes" in unconfirmed.output) == (EXIT_USAGE, True)

    document = init_command.document("--yes")
    pool, owner, worker = document["pool"], document["owner"], document["worker"]
    assert pool == planned["pool"]
    sent = {step["kind"]: step["transaction"] for step in document["steps"] if step["transaction"]}
    assert sent.keys() == {"register", "policy", "stake", "worker-stake"}
    found = view(chain, "viewWorkerpool", pool)
    assert (found[0], found[1], found[2], found[3]) == (owner, "a pool of init", 35, 5)
    assert view(chain, "viewAccount", owner)[0] == 10 * ONE_RLC
    assert view(chain, "viewAccount", worker)[0] == 2 * ONE_RLC
    variables = read_env(init_command.folder / ".env")
    assert variables["PROD_POOL_ADDRESS"] == pool
    assert variables["WORKERPOOL_PRICE"] == str(ONE_RLC // 2)

    before = nonce(chain, owner), nonce(chain, worker), (init_command.folder / ".env").read_text()
    again = init_command.document("--yes")
    assert all(step["was_done"] for step in again["steps"])
    assert before == (nonce(chain, owner), nonce(chain, worker), (init_command.folder / ".env").read_text())


def test_a_wallet_of_the_operator_is_kept(init_command: Init, fresh_poco_chain: PocoChain) -> None:
    wallet = fresh_poco_chain.account("an owner with a wallet")
    (init_command.folder / "secrets").mkdir(parents=True)
    (init_command.folder / "secrets/core-wallet-password").write_text("mine\n")
    wallet.write_keystore(init_command.folder / CORE_WALLET, "mine", light=True)
    assert init_command.document("--dry-run")["owner"] == wallet.address
    assert not (init_command.folder / WORKER_WALLET).exists()


async def test_the_parts_of_init_share_one_connection(fresh_poco_chain: PocoChain, tmp_path: Path) -> None:
    chain, wallet = fresh_poco_chain, fresh_poco_chain.account("an owner of parts")
    target = Target(chain.chain_id, chain.url, chain.hub, False, 1.0, "h", "http://m", None)
    async with initialisation(tmp_path / "pool", target, Wishes("a pool of parts"), create=True) as work:
        assert (await work.state()).passwords == frozenset()
    async with hub_of(chain.url, chain.hub, chain.chain_id) as hub:
        registry = await hub.workerpool_registry()
        call = calls.create_workerpool(registry, wallet.address, "a pool of parts")
        async with sender(hub, wallet, free_gas=False, block_time_s=1.0, gas_price_cap=10**11) as sending:
            assert (await sending.execute(call)).startswith("0x")
            with pytest.raises(CommandFailed, match="would refuse"):
                await sending.execute(call)
        assert (await hub.predict_workerpool(wallet.address, "a pool of parts"))[1]


def test_an_env_of_another_pool_is_not_touched(init_command: Init, fresh_poco_chain: PocoChain) -> None:
    init_command("--yes")
    text = "PROD_POOL_ADDRESS=0x" + "ab" * 20 + "\n"
    (init_command.folder / ".env").write_text(text)
    refused = init_command("--yes")
    assert refused.exit_code == EXIT_PROBLEM
    assert ".env names another pool" in refused.output
    assert (init_command.folder / ".env").read_text() == text
