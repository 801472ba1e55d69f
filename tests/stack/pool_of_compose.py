"""Sets a pool up as its guide says, with a chain and a market on this host, and computes a deal with it."""

import asyncio
import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workerpool_devnet.demo.documents import DocumentServer
from workerpool_devnet.demo.follow import read_chain
from workerpool_devnet.demo.image import ensure_image
from workerpool_devnet.devnet import Devnet
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus

from stack.running import OURS, Project, Trust, build_settings, clone, engine, get, pool_command, wait_until
from stack.stand_ins import left_out

REGISTRY, TAG = "workerpool-stack-test", "test"
POOL_PROJECT, WORKER_PROJECT = "workerpool", "workerpool-worker-0"
READY_LIMIT_S, DEAL_LIMIT_S = 240.0, 240.0
DEPENDENCIES = tuple(name for name in ("mongo", "ipfs", "prometheus") if name not in left_out())
_OWNER, _WORKER = "a-passphrase-of-the-owner", "a-passphrase-of-the-worker"


@dataclass
class Stack:
    """A running pool, its worker, and the chain that both work on."""

    net: Devnet
    pool: Project
    worker: Project
    core: str
    """URL of core for workers and requesters."""
    results: str
    """URL of the result proxy for requesters."""
    ready_s: float = 0.0
    """Seconds from `up` until every container was healthy."""
    trust: Trust | None = None
    """How its names are reached with TLS."""

    def get(self, url: str) -> tuple[int, bytes]:
        """Return status and body of a public URL."""
        return get(url, trust=self.trust)


def bridge_address() -> str:
    """Return the address of this host that containers reach."""
    (network,) = json.loads(engine("network", "inspect", "bridge"))
    config = network["IPAM"]["Config"][0]
    return str(config.get("Gateway") or config["Subnet"].replace(".0/", ".1/").partition("/")[0])


def prepare(
    folder: Path, net: Devnet, node: str, host: str, values: Mapping[str, str], scope: tuple[str, ...] = ()
) -> tuple[Project, Project]:
    """Do what the guide says: a clone with .env, wallet and secrets; the worker's folder with its own.

    `node` is the chain's address for containers, `host` this host's; `scope` are options of `make pool-check`.
    """
    owner, wallet = net.accounts["poolOwner"], net.account("worker-1")
    owner.write_keystore(folder / "owner.json", _OWNER, light=True)
    (folder / "pool").mkdir()
    pool = clone(folder / "pool", folder / "owner.json")
    complete = {
        "PROD_POOL_ADDRESS": net.workerpool,
        "PROD_CORE_HOST": host,
        "PROD_CORE_WALLET_PASSWORD": _OWNER,
        "PROD_WALLET_PASSWORD": _WORKER,
        "CHAIN_LAST_BLOCK": "0",
        "CHAIN_ID": str(net.chain.chain_id),
        "CHAIN_URL": node,
        "CHAIN_HUB_ADDRESS": net.contracts.hub,
        "CHAIN_BLOCK_TIME": "PT0.1S",
        "MARKET_API_URL": f"http://{host}:{net.services['market'].spec.ports.http}",
        "WORKER_AVAILABLE_CPU": "2",
        "WORKER_ALLOW_CLEARTEXT": "true",
        "WORKER_DOWNLOAD_ALLOWED_HOSTS": "127.0.0.1/32",
        "RESULTS_DIR": str(folder / "results"),
        "DOCKER_REGISTRY": REGISTRY,
        "WORKERPOOL_TAG": TAG,
        "WORKER_TAG": TAG,
        **values,
    }
    pool.write_env(complete)
    if "ipfs" in left_out():
        pool.files = (*pool.files, _without_ipfs(pool.folder))
    pool_command(pool.folder, "secrets")
    pool_command(pool.folder, "secrets", "--worker")
    pool_command(pool.folder, "check", *scope)
    pool_command(pool.folder, "check", "--worker")
    (folder / "results").mkdir()
    worker = Project(folder / "worker")
    shutil.copytree(pool.folder / "deploy/worker", worker.folder)
    worker.write_env(complete)
    wallet.write_keystore(worker.folder / "wallet-0.json", _WORKER, light=True)
    return pool, worker


def _without_ipfs(folder: Path) -> str:
    """Write the overlay of a pool that stores results in MongoDB, and return its name."""
    content = {"services": {"result-proxy": {"environment": {"IEXEC_IPFS_URL": ""}}}}
    (folder / "compose.without-ipfs.json").write_text(json.dumps(content))
    return "compose.without-ipfs.json"


def build(folder: Path, values: Mapping[str, str]) -> None:
    """Build every image of the repository, each from its compose file, in a clone of its own."""
    building = clone(folder)
    needed = {"PROD_POOL_ADDRESS": "0x" + "00" * 20, "PROD_CORE_HOST": "nowhere"}
    building.write_env(
        {**needed, "DOCKER_REGISTRY": REGISTRY, "WORKERPOOL_TAG": TAG, "WORKER_TAG": TAG, **values}
    )
    for services, file in ((OURS, "compose.yaml"), (("worker",), "deploy/worker/compose.yaml")):
        building.files = [file, build_settings(folder, *services)]
        place = ["--env-file", ".env", "--project-directory", str((folder / file).parent)]
        building.compose(*place, "build", *services)


def remove_images() -> None:
    """Remove what `build` made."""
    for name in engine("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"{REGISTRY}/*").split():
        engine("image", "rm", name)


async def take_down(*projects: Project) -> None:
    """Remove the containers, networks and volumes of projects."""
    for project in projects:
        await asyncio.to_thread(project.compose, "down", "--volumes", "--timeout", "30", check=False)


async def compute(stack: Stack, volume: int) -> list[TaskId]:
    """Buy a deal, wait until core reports the end of each task, and compare chain and result with it."""
    await asyncio.to_thread(wait_for_worker, stack)
    app = await stack.net.create_app(f"stack {secrets.token_hex(4)}", await asyncio.to_thread(ensure_image))
    with DocumentServer() as documents:
        params = DealParams(args="all", input_files=documents.urls)
        deal = await stack.net.buy(app, params=params, volume=volume)
        tasks = list(deal.task_ids)
        await asyncio.to_thread(wait_completed, stack, tasks)
    async with HubClient(stack.net.chain.url, stack.net.contracts.hub) as hub:
        for task in tasks:
            record = await read_chain(hub, task, 0)
            assert record.task.status is ChainTaskStatus.COMPLETED
            status, archive = await asyncio.to_thread(stack.get, f"{stack.results}/results/{task}")
            assert (status, archive[:2]) == (200, b"PK")
    return tasks


def wait_for_worker(stack: Stack) -> None:
    """Wait until core counts one worker that is alive."""

    def alive() -> int:
        status, body = stack.get(f"{stack.core}/metrics")
        return int(json.loads(body)["aliveWorkers"]) if status == 200 else 0

    wait_until(lambda: alive() == 1, READY_LIMIT_S, lambda: stack.worker.compose("logs", "--tail", "60"))


def wait_completed(stack: Stack, tasks: list[TaskId]) -> None:
    """Wait until core reports COMPLETED for each task."""

    def told() -> str:
        logs = stack.pool.compose("logs", "--no-color", "--tail", "30", *OURS) + stack.worker.compose("logs")
        return f"{[status_of(stack, task) for task in tasks]}\n{logs}"

    wait_until(lambda: all(status_of(stack, task) == "COMPLETED" for task in tasks), DEAL_LIMIT_S, told)


def status_of(stack: Stack, task: TaskId) -> str:
    """Return the status of a task as core tells requesters."""
    code, body = stack.get(f"{stack.core}/tasks/{task}")
    return str(json.loads(body)["currentStatus"]) if code == 200 else f"HTTP {code}"
