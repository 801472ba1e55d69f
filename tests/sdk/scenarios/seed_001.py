"""Every command of seed 001, the manual of a pool's deployment, line by line, on a chain with Bellecour's id.

The manual was written for the releases 5 to 7 of the command line; 7.2.5 is the newest of them. `RUNS` holds what runs
below, by the number of its line; line 296 names Goerli, which is gone, so Bellecour stands in for it.
Where the manual answers a question at the terminal (password, confirmation), the option that answers it is given.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from http_calls import get

from sdk.command_line import CommandLine
from sdk.releases import RELEASES, executables
from sdk.surroundings import Surroundings

RUNS = {
    73: "iexec init --skip-wallet",
    78: 'edit chain.json: "default": "bellecour"',
    96: "iexec wallet create --keystoredir $PWD; mv UTC--* core_wallet.json",
    105: "iexec wallet import your_private_key",
    112: "iexec wallet create --keystoredir $PWD; mv UTC--* worker_wallet.json",
    121: 'iexec workerpool init --wallet-file "core_wallet.json" --keystoredir "$PWD"',
    126: "edit iexec.json: workerpool.description; owner is the address of core_wallet.json",
    144: 'iexec workerpool deploy --wallet-file "core_wallet.json" --keystoredir "$PWD"',
    157: "the address is in deployed.json",
    176: 'iexec wallet send-RLC "10" --to … --wallet-file … --keystoredir …',
    184: 'iexec account deposit "100000000" --wallet-file core_wallet.json --keystoredir "$PWD"',
    185: 'iexec account deposit "100000000" --wallet-file worker_wallet.json --keystoredir "$PWD"',
    241: "http://$PROD_CHAIN_ADAPTER_HOST:13010/config/chain",
    245: "http://$PROD_CORE_HOST:7001/metrics",
    279: "http://$PROD_CORE_HOST:7001/metrics: the worker is alive",
    285: 'iexec orderbook workerpool "$WORKERPOOL" --chain "$CHAIN" --tag "$TAG"',
    294: "iexec workerpool publish --help",
    296: "iexec workerpool publish … --requester-restrict … --category 1 --price 0 --volume 1 0x…",
    301: "iexec workerpool unpublish --all 0x… --wallet-file … --keystoredir …",
}
"""The other lines need a stack, or have something else in their place: tools/moving/guides.py, tests/stack."""

PASSWORD = "safe"
DEPOSIT = 10**8


async def follows_the_manual(around: Surroundings, folder: Path, workers: int) -> set[int]:
    """Run each command of `RUNS` in the order of the manual; return the lines that ran."""
    iexec = CommandLine(executables(RELEASES["7.2.5"]), folder, whole=True)
    core = ("--wallet-file", "core_wallet.json", "--keystoredir", str(folder), "--password", PASSWORD)
    worker = ("--wallet-file", "worker_wallet.json", *core[2:])
    done: set[int] = set()

    await iexec.run("init", "--skip-wallet")
    done.add(73)
    chains = json.loads((folder / "chain.json").read_text())
    assert "bellecour" in chains["chains"]
    devnet = json.loads((around.files / "chain-7.json").read_text())
    (values,) = devnet["chains"].values()
    chains["default"], chains["chains"]["bellecour"] = "bellecour", values
    (folder / "chain.json").write_text(json.dumps(chains))
    done.add(78)

    core_address = await _created(iexec, folder, "core_wallet.json")
    done.add(96)
    worker_address = await _created(iexec, folder, "worker_wallet.json")
    done.add(112)
    imported = await iexec.run("wallet", "import", around.funded_key("seed 001"), "--password", PASSWORD)
    rich = Path(imported["fileName"])
    done.add(105)

    await iexec.run("workerpool", "init", *core)
    done.add(121)
    content = json.loads((folder / "iexec.json").read_text())
    assert content["workerpool"] == {"owner": core_address, "description": "my-workerpool"}
    content["workerpool"]["description"] = "the pool of seed 001"
    (folder / "iexec.json").write_text(json.dumps(content))
    done.add(126)
    pool = (await iexec.run("workerpool", "deploy", *core))["address"]
    done.add(144)
    assert json.loads((folder / "deployed.json").read_text())["workerpool"]["134"] == pool
    done.add(157)

    wallet = ("--wallet-file", rich.name, "--keystoredir", str(rich.parent), "--password", PASSWORD)
    for address in (core_address, worker_address):
        await iexec.run("wallet", "send-RLC", "10", "--to", address, *wallet, "--force")
    done.add(176)
    for line, address, wallet in ((184, core_address, core), (185, worker_address, worker)):
        await iexec.run("account", "deposit", str(DEPOSIT), *wallet)
        shown = await iexec.run("account", "show", address)
        assert shown["balance"]["stake"] == str(DEPOSIT)
        done.add(line)

    services = around.document["services"]
    config = (await get(f"{services['chain_adapter']['http']}/config/chain")).json()
    assert (config["chainId"], config["iexecHubContractAddress"]) == (134, around.contracts.hub)
    done.add(241)
    metrics = (await get(f"{services['core']['http']}/metrics")).json()
    assert metrics["aliveWorkers"] == workers
    done |= {245, 279}

    standard = "0x" + "00" * 32
    book = ("orderbook", "workerpool", around.workerpool, "--chain", "bellecour", "--tag", standard)
    offers = (await iexec.run(*book))["workerpoolOrders"]
    assert offers, "the publisher offers the free slots of the worker"
    assert {offer["workerpool"] for offer in offers} == {around.workerpool}
    done.add(285)

    helped = await iexec.attempt("workerpool", "publish", "--help")
    assert (helped.code, "--requester-restrict" in helped.stdout) == (0, True)
    done.add(294)
    published = await iexec.run(
        *("workerpool", "publish", *core, "--chain", "bellecour", "--requester-restrict", worker_address),
        *("--category", "1", "--price", "0", "--volume", "1", pool, "--force"),
    )
    mine = ("orderbook", "workerpool", pool, "--category", "1", "--requester", worker_address)
    (order,) = (await iexec.run(*mine))["workerpoolOrders"]
    assert (order["orderHash"], order["requesterrestrict"]) == (published["orderHash"], worker_address)
    others = ("orderbook", "workerpool", pool, "--category", "1", "--requester", core_address)
    assert (await iexec.run(*others))["workerpoolOrders"] == []
    done.add(296)
    withdrawn = await iexec.run("workerpool", "unpublish", "--all", pool, *core, "--force")
    assert withdrawn["unpublished"] == [published["orderHash"]]
    assert (await iexec.run(*mine))["workerpoolOrders"] == []
    done.add(301)

    assert (await iexec.run(*book))["workerpoolOrders"], "the offers of the devnet's pool are still there"
    return done


async def _created(iexec: CommandLine, folder: Path, name: str) -> str:
    """Create a wallet in the folder and rename its file, as the manual does; return its address."""
    created = await iexec.run("wallet", "create", "--keystoredir", str(folder), "--password", PASSWORD)
    (file,) = folder.glob("UTC--*")
    shutil.move(file, folder / name)
    return str(created["address"])
