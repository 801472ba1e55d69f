"""A real process over MongoDB and the real contracts: owners on chain, restarts, rotation, and no secret anywhere."""

import asyncio
import http.client
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
from patience import PATIENCE_S
from workerpool_devnet.market.trading import Market
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_devnet.processes.ports import free_service_ports
from workerpool_devnet.processes.process import ManagedProcess
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import to_hex
from workerpool_sms.domain.secrets import SecretKind, SecretName

from services.sms.tests.instance import signed

CANARIES = ("canary-of-the-dataset", "canary-of-the-app", "canary-of-the-user", "canary-api-key")


class Process:
    """One SMS process and its environment."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        ports = free_service_ports()
        inherited = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG")}
        own = {"IEXEC_SMS_PORT": str(ports.http), "WORKERPOOL_GRPC_PORT": str(ports.grpc)}
        self.environment, self.log = inherited | own | environment, log
        command = [sys.executable, "-m", "workerpool_sms"]
        self.process = ManagedProcess("sms", command, log=log, env=self.environment)
        self.url = f"http://127.0.0.1:{ports.http}"

    def start(self) -> None:
        self.process.start()
        self.process.wait_until(self._is_up, timeout=60, what="healthy")

    def _is_up(self) -> bool:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=PATIENCE_S)
        try:
            connection.request("GET", "/actuator/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    async def send(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, data=body.encode(), headers=named) as answer,
        ):
            return answer.status, await answer.text()

    async def push(
        self, kind: SecretKind, address: str, key: str, path: str, value: str, wallet: Wallet
    ) -> int:
        signature = to_hex(signed(SecretName.parse(kind, address, key), value, wallet))
        return (await self.send("POST", path, value, authorization=signature))[0]


@pytest.fixture
def new_process(poco_chain: PocoChain, mongod: Mongod, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []
    environment = {
        "MONGO_URI": mongod.uri,
        "MONGO_DATABASE": mongod.new_name("sms"),
        "IEXEC_CHAIN_ID": str(poco_chain.chain_id),
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS": poco_chain.url,
        "IEXEC_HUB_ADDRESS": poco_chain.hub,
        "IEXEC_SMS_STORAGE_ENCRYPTION_AES_KEY_PATH": str(tmp_path / "keys" / "sms.key"),
        "IEXEC_SMS_ADMIN_STORAGE_LOCATION": str(tmp_path),
        "IEXEC_SMS_ADMIN_API_KEY": CANARIES[3],
        "WORKERPOOL_LOG_LEVEL": "DEBUG",
    }

    def start(**more: str) -> Process:
        made = Process(environment | more, tmp_path / f"sms-{len(started)}.log")
        started.append(made)
        made.start()
        return made

    yield start
    for made in started:
        made.process.stop()


async def test_owners_on_chain_push_secrets_that_survive_restart_and_rotation_and_appear_nowhere(
    new_process: Callable[..., Process], poco_chain: PocoChain, tmp_path: Path, mongod: Mongod
) -> None:
    market, owner = Market(poco_chain.chain.rpc, poco_chain.contracts), poco_chain.account("requester")
    stranger = poco_chain.account("worker-1")
    app = market.create_app(owner, "sms-app", "image:sms-tests")
    dataset = market.create_dataset(owner, "sms-data", "https://data.example/1", checksum=bytes([1] * 32))
    first = new_process()
    app_secret: tuple[SecretKind, str, str, str] = (
        SecretKind.APP_DEVELOPER,
        app,
        "1",
        f"/apps/{app}/secrets",
    )
    data_key: tuple[SecretKind, str, str, str] = (
        SecretKind.WEB3,
        dataset,
        "",
        f"/secrets/web3?secretAddress={dataset}",
    )
    web2 = f"/secrets/web2?ownerAddress={owner.address}&secretName=t"
    assert await first.push(*app_secret, CANARIES[1], stranger) == 401
    assert await first.push(*app_secret, CANARIES[1], owner) == 204
    assert await first.push(*data_key, CANARIES[0], owner) == 204
    assert await first.push(SecretKind.WEB2, owner.address, "t", web2, CANARIES[2], owner) == 204
    assert (await first.send("POST", "/admin/backup", x_api_key=CANARIES[3]))[0] == 201
    first.process.stop()

    rotated = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "workerpool_sms", "rotate-key"],
        env=first.environment,
        capture_output=True,
        text=True,
    )
    assert rotated.returncode == 0, rotated.stderr
    second = new_process()
    for path in (app_secret[3], data_key[3], web2):
        assert (await second.send("HEAD", path))[0] == 204
    assert await second.push(*app_secret, "other", owner) == 409
    second.process.wait_until(
        lambda: '"rewrapped": 3' in second.log.read_text(), timeout=PATIENCE_S, what="rewrapped"
    )
    status, metrics = await second.send("GET", "/metrics")
    assert status == 200
    assert "iexec_sms_secrets_compute_stored 1.0" in metrics

    command_line = Path(f"/proc/{second.process.pid}/cmdline").read_text()
    shown = [metrics, command_line, rotated.stdout, rotated.stderr]
    shown += [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    assert not [canary for canary in CANARIES for text in shown if canary in text]


async def test_the_operator_lists_and_removes_secrets_by_commands(
    new_process: Callable[..., Process], poco_chain: PocoChain
) -> None:
    running = new_process()
    wallet = poco_chain.account("worker-2")
    path = f"/secrets/web2?ownerAddress={wallet.address}&secretName=junk"
    assert await running.push(SecretKind.WEB2, wallet.address, "junk", path, CANARIES[2], wallet) == 204

    async def command(*words: str, **changes: str) -> tuple[int, str, str]:
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "workerpool_sms", *words],
            env=running.environment | changes,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout, done.stderr

    code, listed, _ = await command("secret-owners")
    (line,) = [line for line in listed.splitlines() if wallet.address in line]
    assert (code, line.endswith("1 web2")) == (0, True)
    assert "RLC" in line
    code, _, problem = await command("secret-owners", IEXEC_SMS_ADMIN_API_KEY="wrong")
    assert (code, "X-API-KEY" in problem) == (1, True)
    code, _, problem = await command("remove-secrets", "0x12")
    assert (code, "wallet" in problem) == (1, True)
    code, told, _ = await command("remove-secrets", wallet.address)
    assert (code, told) == (0, f"1 secrets of {wallet.address} were removed.\n")
    assert wallet.address not in (await command("secret-owners", "--limit", "0"))[1]
    running.process.stop()
    assert "audit.secrets_removed" in running.process.log.read_text()
    code, _, problem = await command("secret-owners")
    assert (code, "start it" in problem) == (1, True)
