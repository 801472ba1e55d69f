"""The access table: every method of every service, its admitted callers, and its answer to each role."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from grpc import StatusCode

TASK = "0x" + "ab" * 32
WALLET = "0x" + "cd" * 20
SIGNATURE = "0x" + "11" * 65
OPERATOR, OPERATOR_PASSWORD = "operator", "correct horse"


class To(Enum):
    """The callers that a method admits."""

    EVERY_CALLER = "every caller"
    WORKERS = "workers with a token of core"
    OPERATOR = "the operator"
    OWNER = "services of the pool owner, with the credentials of the chain adapter"
    UPLOADERS = "workers with a token of the result proxy"
    PUBLISHERS_OPERATOR = "the operator, with the credentials of the order publisher"


@dataclass(frozen=True)
class Row:
    """The admitted callers of a method, a request, and the answer of the method to an admitted caller."""

    to: To
    request: dict[str, Any]
    code: StatusCode = StatusCode.OK
    reason: str | None = None


AUTHORIZATION = {
    "task_id": TASK,
    "deal_id": TASK,
    "worker_wallet": WALLET,
    "enclave_challenge": "0x" + "00" * 20,
    "signature": SIGNATURE,
}
ORDER = {
    "workerpool": WALLET,
    "volume": 1,
    "tag": "0x" + "00" * 32,
    **dict.fromkeys(("apprestrict", "datasetrestrict", "requesterrestrict"), "0x" + "00" * 20),
    "salt": TASK,
}
NOT_FOUND, UNAUTHENTICATED, DENIED = (
    StatusCode.NOT_FOUND,
    StatusCode.UNAUTHENTICATED,
    StatusCode.PERMISSION_DENIED,
)

CORE = "workerpool.core.v1"
ROWS = {
    "core": {
        f"{CORE}.WorkerService/GetConfig": Row(To.EVERY_CALLER, {}),
        f"{CORE}.WorkerService/CreateChallenge": Row(To.EVERY_CALLER, {"wallet_address": WALLET}),
        f"{CORE}.WorkerService/Login": Row(
            To.EVERY_CALLER,
            {"wallet_address": "0x" + "ef" * 20, "signature": SIGNATURE},
            UNAUTHENTICATED,
            "BAD_CHALLENGE",
        ),
        f"{CORE}.WorkerService/Connect": Row(
            To.WORKERS, {"heartbeat": {}}, StatusCode.INVALID_ARGUMENT, "HELLO_EXPECTED"
        ),
        f"{CORE}.TaskService/GetTask": Row(To.EVERY_CALLER, {"task_id": TASK}, NOT_FOUND, "UNKNOWN_TASK"),
        f"{CORE}.TaskService/ListTasks": Row(To.EVERY_CALLER, {}),
        f"{CORE}.TaskService/WatchTask": Row(To.EVERY_CALLER, {"task_id": TASK}, NOT_FOUND, "UNKNOWN_TASK"),
        f"{CORE}.TaskService/ExplainTask": Row(To.EVERY_CALLER, {"task_id": TASK}, NOT_FOUND, "UNKNOWN_TASK"),
        f"{CORE}.TaskService/WatchTaskLogs": Row(To.OPERATOR, {"task_id": TASK}, NOT_FOUND, "UNKNOWN_TASK"),
        f"{CORE}.TaskService/GetReplicate": Row(
            To.EVERY_CALLER, {"task_id": TASK, "wallet_address": WALLET}, NOT_FOUND, "UNKNOWN_REPLICATE"
        ),
        f"{CORE}.TaskService/CreateLogChallenge": Row(To.EVERY_CALLER, {"address": WALLET}),
        f"{CORE}.TaskService/GetTaskLogs": Row(
            To.EVERY_CALLER,
            {"task_id": TASK, "address": "0x" + "ef" * 20, "signature": SIGNATURE},
            UNAUTHENTICATED,
            "BAD_CHALLENGE",
        ),
        f"{CORE}.PoolService/GetPoolStatus": Row(To.EVERY_CALLER, {}),
        f"{CORE}.PoolService/ListWorkers": Row(To.EVERY_CALLER, {}),
        f"{CORE}.PoolService/GetWorker": Row(
            To.EVERY_CALLER, {"wallet_address": WALLET}, NOT_FOUND, "UNKNOWN_WORKER"
        ),
        f"{CORE}.PoolService/ExplainWorker": Row(
            To.EVERY_CALLER, {"wallet_address": WALLET}, NOT_FOUND, "UNKNOWN_WORKER"
        ),
        f"{CORE}.PoolService/ListRefusals": Row(To.OPERATOR, {}),
        f"{CORE}.DealService/GetDeal": Row(To.EVERY_CALLER, {"deal_id": TASK}, NOT_FOUND, "UNKNOWN_DEAL"),
        f"{CORE}.DealService/ListDeals": Row(To.EVERY_CALLER, {}),
        f"{CORE}.PoolService/WatchSupply": Row(To.OPERATOR, {}),
        f"{CORE}.PoolService/DrainWorker": Row(
            To.OPERATOR, {"wallet_address": WALLET}, NOT_FOUND, "UNKNOWN_WORKER"
        ),
        f"{CORE}.PoolService/UndrainWorker": Row(
            To.OPERATOR, {"wallet_address": WALLET}, NOT_FOUND, "UNKNOWN_WORKER"
        ),
        f"{CORE}.PoolService/QuarantineWorker": Row(
            To.OPERATOR, {"wallet_address": WALLET}, NOT_FOUND, "UNKNOWN_WORKER"
        ),
        f"{CORE}.PoolService/ReleaseWorker": Row(
            To.OPERATOR, {"wallet_address": WALLET}, NOT_FOUND, "UNKNOWN_WORKER"
        ),
    },
    "chain_adapter": {
        f"workerpool.chain_adapter.v1.TransactionService/{method}": row
        for method, row in {
            "Initialize": Row(To.OWNER, {"deal_id": TASK}, NOT_FOUND, "DEAL_NOT_FOUND"),
            "Finalize": Row(To.OWNER, {"task_id": TASK}, NOT_FOUND, "TASK_NOT_FOUND"),
            "Reopen": Row(To.OWNER, {"task_id": TASK}, NOT_FOUND, "TASK_NOT_FOUND"),
            "Claim": Row(To.OWNER, {"task_id": TASK}, NOT_FOUND, "TASK_NOT_FOUND"),
            "CancelOrder": Row(To.OWNER, {"order": ORDER}, NOT_FOUND, "WORKERPOOL_NOT_FOUND"),
            "GetCommand": Row(To.OWNER, {"task_id": TASK, "kind": 1}, NOT_FOUND, "COMMAND_NOT_FOUND"),
            "WatchCommand": Row(To.OWNER, {"task_id": TASK, "kind": 1}, NOT_FOUND, "COMMAND_NOT_FOUND"),
            "ListCommands": Row(To.OWNER, {}),
            "GetWallet": Row(To.OWNER, {}),
        }.items()
    },
    "result_proxy": {
        "workerpool.result_proxy.v1.ResultService/GetArchiveRules": Row(To.EVERY_CALLER, {}),
        "workerpool.result_proxy.v1.ResultService/CreateChallenge": Row(
            To.EVERY_CALLER, {"task_id": TASK, "wallet_address": WALLET}
        ),
        "workerpool.result_proxy.v1.ResultService/IssueToken": Row(
            To.EVERY_CALLER,
            {
                "authorization": AUTHORIZATION,
                "worker_signature": SIGNATURE,
                "audience": "https://elsewhere.example",
                "nonce": TASK,
            },
            UNAUTHENTICATED,
            "WRONG_AUDIENCE",
        ),
        "workerpool.result_proxy.v1.ResultService/GetUpload": Row(
            To.UPLOADERS, {"header": {"task_id": TASK, "size": 1, "sha256": TASK, "result_digest": TASK}}
        ),
        "workerpool.result_proxy.v1.ResultService/Upload": Row(
            To.UPLOADERS, {"chunk": b"1"}, StatusCode.INVALID_ARGUMENT, "UPLOAD_HEADER_EXPECTED"
        ),
        "workerpool.result_proxy.v1.ResultService/GetResult": Row(
            To.EVERY_CALLER, {"task_id": TASK}, NOT_FOUND, "RESULT_NOT_FOUND"
        ),
        "workerpool.result_proxy.v1.ResultService/Download": Row(
            To.EVERY_CALLER, {"task_id": TASK}, NOT_FOUND, "RESULT_NOT_FOUND"
        ),
    },
    "registry": {
        "workerpool.registry.v1.ConfigService/GetChain": Row(To.EVERY_CALLER, {}),
        "workerpool.registry.v1.PlatformService/GetStack": Row(
            To.EVERY_CALLER, {"stack": "unknown"}, NOT_FOUND, "STACK_NOT_FOUND"
        ),
        "workerpool.registry.v1.PlatformService/WatchStack": Row(
            To.EVERY_CALLER, {"stack": "unknown"}, NOT_FOUND, "STACK_NOT_FOUND"
        ),
    },
    "order_publisher": {
        "workerpool.order_publisher.v1.OfferService/GetOffers": Row(To.PUBLISHERS_OPERATOR, {}),
    },
    "sms": {
        "workerpool.sms.v1.SecretService/SetSecret": Row(
            To.EVERY_CALLER,
            {"name": {"kind": 2, "address": WALLET, "key": "token"}, "value": "v", "signature": SIGNATURE},
            UNAUTHENTICATED,
            "NOT_SIGNED_BY_OWNER",
        ),
        "workerpool.sms.v1.SecretService/HasSecret": Row(
            To.EVERY_CALLER, {"name": {"kind": 2, "address": WALLET, "key": "token"}}
        ),
        "workerpool.sms.v1.TeeService/GetFramework": Row(To.EVERY_CALLER, {}),
        "workerpool.sms.v1.TeeService/GetServiceProperties": Row(
            To.EVERY_CALLER, {"framework": 3, "version": "unknown"}, NOT_FOUND, "UNKNOWN_FRAMEWORK_VERSION"
        ),
        "workerpool.sms.v1.TeeService/CreateChallenge": Row(
            To.EVERY_CALLER,
            {"task_id": TASK, "signature": SIGNATURE},
            NOT_FOUND,
            "EXECUTION_NOT_AUTHORIZED_GET_CHAIN_TASK_FAILED",
        ),
        "workerpool.sms.v1.TeeService/CreateSessionChallenge": Row(
            To.EVERY_CALLER, {"task_id": TASK, "wallet_address": WALLET}
        ),
        "workerpool.sms.v1.TeeService/CreateSession": Row(
            To.EVERY_CALLER,
            {
                "authorization": AUTHORIZATION,
                "worker_signature": SIGNATURE,
                "audience": "https://elsewhere.example",
                "nonce": TASK,
            },
            StatusCode.FAILED_PRECONDITION,
            "ATTESTATION_NOT_AVAILABLE",
        ),
    },
    "worker-1": {},
}

NO_CREDENTIALS = (UNAUTHENTICATED, "UNAUTHENTICATED")
NO_PERMISSION = (DENIED, "PERMISSION_DENIED")
BAD_TOKEN = (UNAUTHENTICATED, "TOKEN_INVALID")
ROLES = (
    "no credentials",
    "a worker",
    "another worker",
    "a worker whose token expired",
    "a forger",
    "a forger of an operator's token",
    "a forger without signature",
    "the operator",
    "the operator with a wrong password",
    "the pool owner's services",
    "an uploader",
    "rubbish",
)
_FORGERS = dict.fromkeys(
    ("a forger", "a forger of an operator's token", "a forger without signature"), BAD_TOKEN
)
_CORE_BEARERS = _FORGERS | {
    "a worker whose token expired": (UNAUTHENTICATED, "TOKEN_EXPIRED"),
    "an uploader": BAD_TOKEN,
}
REFUSALS = {
    To.EVERY_CALLER: {},
    To.WORKERS: dict.fromkeys(ROLES, NO_CREDENTIALS) | _CORE_BEARERS | {"the operator": NO_PERMISSION},
    To.OPERATOR: dict.fromkeys(ROLES, NO_CREDENTIALS)
    | _CORE_BEARERS
    | {"a worker": NO_PERMISSION, "another worker": NO_PERMISSION},
    To.OWNER: dict.fromkeys(ROLES, NO_CREDENTIALS),
    To.PUBLISHERS_OPERATOR: dict.fromkeys(ROLES, NO_CREDENTIALS),
    To.UPLOADERS: dict.fromkeys(ROLES, NO_CREDENTIALS)
    | _FORGERS
    | dict.fromkeys(("a worker", "another worker", "a worker whose token expired"), BAD_TOKEN),
}
"""The refusal of each role, before the call reaches the method."""
ADMITTED = {
    To.EVERY_CALLER: set(ROLES),
    To.WORKERS: {"a worker", "another worker"},
    To.OPERATOR: {"the operator"},
    To.PUBLISHERS_OPERATOR: {"the operator"},
    To.OWNER: {"the pool owner's services"},
    To.UPLOADERS: {"an uploader"},
}
