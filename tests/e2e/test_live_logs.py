"""The requester reads the output of a running app, from the real worker through the real scheduler."""

import asyncio
import io
import time
from dataclasses import replace
from typing import Any

import docker
import grpc
import http_calls
import pytest
from patience import PATIENCE_S
from task_logs import read_logs
from workerpool_devnet.devnet import Devnet
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.typed_data import LogChallenge, sign_challenge
from workerpool_poco.protocol.ids import to_hex
from workerpool_protocol.core.v1 import statuses_pb2 as statuses
from workerpool_protocol.core.v1 import task_pb2
from workerpool_protocol.core.v1 import task_service_pb2 as tasks
from workerpool_protocol.core.v1.task_service_pb2_grpc import TaskServiceStub

from e2e.requester import Requester

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

LIMIT_SECONDS = PATIENCE_S
SCRIPT = (
    "/bin/sh -c 'echo begun; echo careful >&2; sleep 8; echo done; echo x > $IEXEC_OUT/r; "
    """echo "{\\"deterministic-output-path\\": \\"/iexec_out/r\\"}" > $IEXEC_OUT/computed.json'"""
)


@pytest.fixture
def shell(image: str) -> str:
    """Build the image of the demo without its entry point: the requester chooses the command."""
    client = docker.from_env()
    try:
        name = image.replace("analysis", "shell")
        recipe = io.BytesIO(f"FROM {image}\nENTRYPOINT []\n".encode())
        client.images.build(fileobj=recipe, tag=name, rm=True)
        return name
    finally:
        client.close()


async def debug(net: Devnet, task_id: str, reader: Wallet) -> dict[str, Any]:
    """Read what `iexec task debug --logs` reads, by the same calls: the task, a challenge, the logs."""
    base = net.services["core"].http
    task = (await http_calls.get(f"{base}/tasks/{task_id}")).json()
    data = (await http_calls.get(f"{base}/tasks/logs/challenge?chainId=1&address={reader.address}")).json()
    challenge = LogChallenge(data["message"]["challenge"], data["domain"]["chainId"])
    signature = to_hex(sign_challenge(reader, challenge))
    header = {"Authorization": f"{to_hex(challenge.hash)}_{signature}_{reader.address}"}
    logs = (await http_calls.get(f"{base}/tasks/{task_id}/logs", headers=header)).json()
    return {**task, **logs}


async def test_output_is_readable_while_the_app_runs_and_complete_after_it(
    net: Devnet, requester: Requester, shell: str
) -> None:
    requester = replace(requester, app=await net.create_app("live logs", shell), documents=())
    (task_id,) = await requester.buy(SCRIPT)
    reader = net.accounts["requester"]
    async with grpc.aio.insecure_channel(net.services["core"].grpc) as channel:
        service = TaskServiceStub(channel)

        async def logs() -> list[task_pb2.ComputeLogs]:
            try:
                return await read_logs(service, task_id, reader)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.NOT_FOUND:
                    raise
                return []  # the scheduler has not read the deal yet

        deadline = time.monotonic() + LIMIT_SECONDS
        # What the app wrote to stderr can arrive first.
        while not ((found := await logs()) and found[0].stdout):
            assert time.monotonic() < deadline, "no output was visible while the app ran"
            await asyncio.sleep(0.1)
        answer = await service.GetTask(tasks.GetTaskRequest(task_id=task_id))
        (replicate,) = answer.task.replicates
        assert replicate.history[-1].status == statuses.REPLICATE_STATUS_COMPUTING
        (shown,) = found
        assert (shown.wallet_address, shown.stdout) == (replicate.wallet_address, "begun\n")
        during = await debug(net, task_id, reader)
        assert during["currentStatus"] == "RUNNING"
        assert during["dateStatusList"][-1]["message"] == "1 worker got the task: 1 COMPUTING"
        assert [logs["stdout"] for logs in during["computeLogsList"]] == ["begun\n"]

        await requester.follow([task_id])
        (whole,) = await logs()
        assert (whole.stdout, whole.stderr) == ("begun\ndone\n", "careful\n")
        after = await debug(net, task_id, reader)
        assert after["currentStatus"] == "COMPLETED"
        wallet = replicate.wallet_address
        assert after["computeLogsList"] == [
            {"walletAddress": wallet, "stdout": "begun\ndone\n", "stderr": "careful\n"}
        ]
        (shown_replicate,) = after["replicates"]
        computed = next(
            entry for entry in shown_replicate["statusUpdateList"] if entry["status"] == "COMPUTED"
        )
        assert (computed["exitCode"], shown_replicate["appExitCode"]) == (0, 0)
