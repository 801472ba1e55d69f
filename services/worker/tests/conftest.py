"""The worker as a real process, on a real chain and a real Docker engine, with small peers for the other services.

The scheduler of these tests is a gRPC server in the test process that does only what a test tells it to, so that a test
can do what the real one never would: cut the stream, repeat a command, forget a task.
"""

import asyncio
import contextlib
import functools
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections import defaultdict
from pathlib import Path

import docker
import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from workerpool_devnet.market import Purchase
from workerpool_poco import calls
from workerpool_poco.authorization import sign_authorization
from workerpool_poco.hub import HubClient
from workerpool_poco.ids import ZERO_ADDRESS, bytes32, from_hex, to_hex
from workerpool_poco.statuses import ReplicateStatus
from workerpool_poco.transactions import TransactionSender
from workerpool_poco.typed_data import LoginChallenge, recover_challenge_signer
from workerpool_poco.wallet import Wallet
from workerpool_protocol.core.v1 import statuses_pb2, worker_service_pb2_grpc
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.registry.v1 import config_service_pb2, config_service_pb2_grpc
from workerpool_protocol.result_proxy.v1 import result_service_pb2, result_service_pb2_grpc
from workerpool_worker.api.translate import authorization_message
from workerpool_worker.docker_engine import TASK_LABEL, WORKER_LABEL

REPOSITORY = "workerpool-worker-tests"
VERSION = "0.1.0"
PASSWORD = "only for tests"
TOKEN = "token-of-the-tests"
GRPC_OFFSET = 10_000

HELLO_APP = (
    """/bin/sh -c 'echo -n hello > $IEXEC_OUT/result.txt; echo said; """
    """echo "{\\"deterministic-output-path\\": \\"/iexec_out/result.txt\\"}" > $IEXEC_OUT/computed.json'"""
)
HELLO_DIGEST = "0x" + hashlib.sha256(b"hello").hexdigest()


async def wait_until(condition, limit_s=30.0, what="the condition"):
    """Wait until `condition()` is truthy and return its value."""
    deadline = time.monotonic() + limit_s
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come within {limit_s} s"
        await asyncio.sleep(0.02)


@pytest.fixture
def eventually():
    """Wait for a condition with a deadline: ``await eventually(lambda: …)``."""
    return wait_until


# --- Docker --------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def docker_client():
    try:
        client = docker.from_env()
        client.ping()
    except docker.errors.DockerException as problem:
        pytest.skip(f"NO DOCKER ENGINE: the container tests did not run ({problem})")
    yield client
    client.close()


@pytest.fixture(scope="session")
def app_image(docker_client):
    """Build an image of nothing but Debian's static busybox, without pulling anything."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("NO BUSYBOX: install the Debian package busybox-static; the container tests did not run")
    programs = ("sh", "cat", "ls", "sleep", "head", "yes", "touch", "true", "sha256sum", "tr")
    tag = hashlib.sha256(Path(busybox).read_bytes() + repr(programs).encode()).hexdigest()[:12]
    image = f"{REPOSITORY}:{tag}"
    if not docker_client.images.list(name=image):
        docker_client.api.import_image_from_data(_root_of(busybox, programs), repository=REPOSITORY, tag=tag)
    return image


def _root_of(busybox, programs):
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.add(busybox, "bin/busybox")
        for name in programs:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(folder)
    return tar.getvalue()


# --- peers ---------------------------------------------------------------------------------------


class CorePeer(worker_service_pb2_grpc.WorkerServiceServicer):
    """A scheduler that accepts every update and does what the test says."""

    def __init__(self, workerpool, chain_id):
        self.chain_id = chain_id
        self.configuration = pb.PublicConfiguration(workerpool=workerpool, scheduler=ZERO_ADDRESS)
        self.logins = []
        self.hellos = []
        self.beats = []
        self.acks = []
        self.updates = defaultdict(list)
        self.seen = {}
        self.dropped = []
        self.silent = False
        self.answer = None
        self._down = None
        self._server = None
        self._port = 0
        self._sequence = 0

    async def start(self):
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        worker_service_pb2_grpc.add_WorkerServiceServicer_to_server(self, self._server)
        self._port = self._server.add_insecure_port(f"127.0.0.1:{self._port}")
        await self._server.start()

    async def stop(self):
        await self._server.stop(None)
        self._down = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port - GRPC_OFFSET}"

    @property
    def connected(self):
        return self._down is not None

    # service

    async def GetConfig(self, request, context):
        return pb.GetConfigResponse(configuration=self.configuration)

    async def CreateChallenge(self, request, context):
        challenge = LoginChallenge(
            request.wallet_address, "challenge", 1_700_000_000, self.chain_id, self.configuration.workerpool
        )
        return pb.CreateChallengeResponse(typed_data_json=json.dumps(challenge.to_json()))

    async def Login(self, request, context):
        challenge = LoginChallenge(
            request.wallet_address, "challenge", 1_700_000_000, self.chain_id, self.configuration.workerpool
        )
        if recover_challenge_signer(challenge, from_hex(request.signature)) != request.wallet_address:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "wrong signature")
        self.logins.append(request.wallet_address)
        return pb.LoginResponse(token=TOKEN)

    async def Connect(self, request_iterator, context):
        metadata = dict(context.invocation_metadata())
        if metadata.get("authorization") != f"Bearer {TOKEN}":
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "log in first")
        down = asyncio.Queue()
        reader = asyncio.create_task(self._read(request_iterator, down))
        try:
            while (message := await down.get()) is not None:
                yield message
        finally:
            reader.cancel()
            if self._down is down:
                self._down = None

    async def _read(self, messages, down):
        async for message in messages:
            match message.WhichOneof("message"):
                case "hello":
                    self.hellos.append(message.hello)
                    welcome = pb.Welcome(
                        session_id=f"session-{len(self.hellos)}",
                        configuration=self.configuration,
                        heartbeat_period=Duration(nanos=200_000_000),
                        dropped_task_ids=self.dropped,
                    )
                    down.put_nowait(pb.ConnectResponse(welcome=welcome))
                    self._down = down
                case "heartbeat":
                    self.beats.append(message.heartbeat)
                case "command_ack":
                    self.acks.append(message.command_ack.sequence)
                case "status_report":
                    self._reported(message.status_report, down)

    def _reported(self, report, down):
        results = []
        for update in report.updates:
            if update.sequence not in self.seen:
                self.seen[update.sequence] = update
                self.updates[update.task_id].append(update)
            result = pb.UpdateResult(sequence=update.sequence, outcome=pb.UPDATE_OUTCOME_ACCEPTED)
            if self.answer is not None:
                self.answer(update, result)
            results.append(result)
        if not self.silent:
            down.put_nowait(pb.ConnectResponse(decisions=pb.Decisions(results=results)))

    # what tests say and see

    def send(self, **message):
        self._down.put_nowait(pb.ConnectResponse(**message))

    def assign(self, *assignments):
        self.send(decisions=pb.Decisions(assignments=assignments))

    def cut(self):
        """End the stream."""
        self._down.put_nowait(None)
        self._down = None

    def command(self, task_id, action, *, sequence=None, block=0, cause=0):
        self._sequence = sequence or self._sequence + 1
        self.send(
            command=pb.Command(
                sequence=self._sequence, task_id=task_id, action=action, block_number=block, cause=cause
            )
        )
        return self._sequence

    def statuses(self, task_id):
        return [
            ReplicateStatus(
                statuses_pb2.ReplicateStatus.Name(update.status).removeprefix("REPLICATE_STATUS_")
            )
            for update in self.updates[task_id]
        ]

    async def status(self, task_id, status, limit_s=30.0):
        """Wait for a status and return its update."""

        def found():
            for update, name in zip(self.updates[task_id], self.statuses(task_id), strict=True):
                if name is ReplicateStatus(status):
                    return update
            return None

        return await wait_until(found, limit_s, f"{status} (so far {self.statuses(task_id)})")


class ConfigPeer(config_service_pb2_grpc.ConfigServiceServicer):
    """A config server."""

    def __init__(self, chain):
        self.chain = chain

    async def GetChain(self, request, context):
        return config_service_pb2.GetChainResponse(chain=self.chain)


class ResultPeer(result_service_pb2_grpc.ResultServiceServicer):
    """A result proxy that keeps what it gets."""

    def __init__(self):
        self.archives = {}
        self.headers = {}
        self.failures = []

    async def IssueToken(self, request, context):
        return result_service_pb2.IssueTokenResponse(token=request.authorization.worker_wallet)

    async def Upload(self, request_iterator, context):
        if self.failures:
            code, text = self.failures.pop(0)
            await context.abort(code, text)
        header, content = None, b""
        async for message in request_iterator:
            if message.WhichOneof("part") == "header":
                header = message.header
            else:
                content += message.chunk
        if header.task_id in self.archives:
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, "stored already")
        self.archives[header.task_id], self.headers[header.task_id] = content, header
        return result_service_pb2.UploadResponse(result_link=link_of(header.task_id))

    async def GetResult(self, request, context):
        header = self.headers[request.task_id]
        return result_service_pb2.GetResultResponse(
            result=result_service_pb2.Result(
                task_id=header.task_id,
                result_digest=header.result_digest,
                result_link=link_of(header.task_id),
            )
        )


def link_of(task_id):
    return json.dumps({"storage": "ipfs", "location": f"/results/{task_id}"})


# --- the chain and the pool ----------------------------------------------------------------------


class Pool:
    """A workerpool on the real contracts with its peers, and tasks that are initialized for real."""

    hello_app = HELLO_APP
    hello_digest = HELLO_DIGEST

    def __init__(self, chain, hub, core, results, image):
        self.chain, self.hub, self.core, self.results, self.image = chain, hub, core, results, image
        self.owner = chain.account("poolOwner")
        self.requester = chain.account("requester")
        # A worker clears away what its wallet's containers left, so test processes side by side need wallets apart.
        self.worker: Wallet = chain.account(f"worker of test process {os.getpid()}")
        self.sender = TransactionSender(hub, self.owner)
        self._apps = {}

    async def task(self, command_line=HELLO_APP, *, image=None, max_execution_s=30, **described):
        """Buy and initialize a task, and return the assignment of the pool's worker to it."""
        image = image or self.image
        deal = (await asyncio.to_thread(self._buy, image))[0]
        task_id = deal.task_ids[0]
        initialized = await self.sender.execute(calls.initialize(deal.deal_id, 0))
        chain_task = await self.hub.view_task(task_id)
        authorization = sign_authorization(
            self.owner, worker=self.worker.address, task_id=task_id, deal_id=deal.deal_id, task_index=0
        )
        fields = {
            "task_id": to_hex(task_id),
            "deal_id": to_hex(deal.deal_id),
            "bot_size": 1,
            "app_uri": image,
            "command_line": command_line,
            "max_execution_time": Duration(seconds=max_execution_s),
            "trust": 1,
            "tag": to_hex(bytes(32)),
            "contribution_deadline": Timestamp(seconds=chain_task.contribution_deadline),
            "final_deadline": Timestamp(seconds=chain_task.final_deadline),
        } | described
        return pb.Assignment(
            authorization=authorization_message(authorization),
            task=pb.TaskDescription(**fields),
            initialization_block=initialized.block_number,
        )

    def _buy(self, image):
        market = self.chain.market
        if image not in self._apps:
            self._apps[image] = market.create_app(
                self.requester, f"app {len(self._apps)} {time.time()}", image
            )
        return market.buy(
            Purchase(
                requester=self.requester,
                app=self._apps[image],
                app_owner=self.requester,
                workerpool=self.core.configuration.workerpool,
                pool_owner=self.owner,
            )
        )

    async def contribution(self, task_id):
        return await self.hub.view_contribution(bytes32(task_id), self.worker.address)


@pytest.fixture
async def pool(fresh_poco_chain, app_image):
    """A workerpool, its owner's wallet, and the peers of a worker."""
    chain = fresh_poco_chain
    owner = chain.account("poolOwner")
    workerpool = await asyncio.to_thread(chain.market.create_workerpool, owner, f"worker tests {time.time()}")
    core, results = CorePeer(workerpool, chain.chain_id), ResultPeer()
    others = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    config = config_service_pb2.ChainConfig(
        chain_id=chain.chain_id, node_url=chain.url, hub_address=chain.hub, block_time=Duration(seconds=1)
    )
    config_service_pb2_grpc.add_ConfigServiceServicer_to_server(ConfigPeer(config), others)
    result_service_pb2_grpc.add_ResultServiceServicer_to_server(results, others)
    port = others.add_insecure_port("127.0.0.1:0")
    core.configuration.config_server_url = core.configuration.result_proxy_url = (
        f"http://127.0.0.1:{port - GRPC_OFFSET}"
    )
    await others.start()
    await core.start()
    async with HubClient(chain.url, chain.hub) as hub:
        yield Pool(chain, hub, core, results, app_image)
    await core.stop()
    await others.stop(None)


# --- the worker ----------------------------------------------------------------------------------


class WorkerProcess:
    """The worker as a process of its own."""

    def __init__(self, environment, log):
        self.environment = environment
        self.log_path = log
        self.process = None

    def start(self, **changes):
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "workerpool_worker"],
                env=self.environment | changes,
                stderr=log,
                stdout=log,
            )

    def kill(self):
        """Kill it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self, limit_s=15):
        """Stop it as an operator would and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(limit_s)

    async def exit_code(self, limit_s=30.0):
        return await asyncio.wait_for(asyncio.to_thread(self.process.wait), limit_s)

    @property
    def folder(self):
        return Path(self.environment["IEXEC_WORKER_BASE_DIR"]) / self.environment["IEXEC_WORKER_NAME"]

    @property
    def log(self):
        return self.log_path.read_text()


@pytest.fixture
def worker(pool, docker_client, tmp_path, request):
    """A worker of the pool, not started yet. Whatever it leaves is removed after the test."""
    keystore = tmp_path / "wallet.json"
    pool.worker.write_keystore(keystore, PASSWORD, light=True)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("IEXEC_", "WORKERPOOL_"))
    }
    process = WorkerProcess(
        kept
        | {
            "IEXEC_WORKER_PORT": "0",
            "IEXEC_CORE_URL": pool.core.url,
            "POOL_ADDRESS": pool.core.configuration.workerpool,
            "IEXEC_WORKER_NAME": "test-worker",
            "IEXEC_WORKER_BASE_DIR": str(tmp_path / "base"),
            "IEXEC_WORKER_OVERRIDE_AVAILABLE_CPU_COUNT": "2",
            "IEXEC_WORKER_WALLET_PATH": str(keystore),
            "IEXEC_WORKER_WALLET_PASSWORD": PASSWORD,
            "WORKERPOOL_WORKER_STARTUP_TIMEOUT": "3",
        },
        tmp_path / "worker.log",
    )
    yield process
    if process.process is not None and process.process.poll() is None:
        process.kill()
    for container in _containers(docker_client, pool.worker.address):
        # The killed worker may have had the engine remove it just now.
        with contextlib.suppress(docker.errors.APIError):
            container.remove(force=True)
    if getattr(request.node, "failed", False):
        sys.stderr.write(process.log)


def _containers(client, wallet, task_id=None):
    labels = [f"{WORKER_LABEL}={wallet}"] + ([f"{TASK_LABEL}={task_id}"] if task_id else [])
    # An engine lists a container a moment before it can be inspected.
    return client.containers.list(all=True, filters={"label": labels}, ignore_removed=True)


@pytest.fixture
def containers_of(docker_client):
    """Return the worker's containers, of all tasks or of one."""
    return functools.partial(_containers, docker_client)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Let fixtures know that their test failed, so that they show the worker's log."""
    outcome = yield
    if outcome.get_result().failed:
        item.failed = True
