"""Read the logs of a task like its requester: with a signed challenge that is accepted once."""

from __future__ import annotations

import json

from patience import PATIENCE_S
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.typed_data import LogChallenge, sign_challenge
from workerpool_poco.protocol.ids import to_hex
from workerpool_protocol.core.v1 import task_pb2, task_service_pb2_grpc
from workerpool_protocol.core.v1 import task_service_pb2 as tasks


async def log_challenge(service: task_service_pb2_grpc.TaskServiceAsyncStub, reader: Wallet) -> LogChallenge:
    """Request a log challenge."""
    request = tasks.CreateLogChallengeRequest(address=reader.address)
    answer = await service.CreateLogChallenge(request, timeout=PATIENCE_S)
    data = json.loads(answer.typed_data_json)
    return LogChallenge(data["message"]["challenge"], data["domain"]["chainId"])


async def read_logs(
    service: task_service_pb2_grpc.TaskServiceAsyncStub, task_id: str, reader: Wallet, *, worker: str = ""
) -> list[task_pb2.ComputeLogs]:
    """Read the logs of a task, of all workers or of one wallet."""
    request = tasks.GetTaskLogsRequest(
        task_id=task_id,
        address=reader.address,
        signature=to_hex(sign_challenge(reader, await log_challenge(service, reader))),
        wallet_address=worker,
    )
    return list((await service.GetTaskLogs(request, timeout=PATIENCE_S)).compute_logs)
