"""The table of HTTP endpoints: who may call each, and what it answers. docs/endpoints.md shows it.

A route without a row, or a row without a route, fails `make check`.
"""

from typing import NamedTuple

EVERYONE = "every caller"
OWNER = "services of the pool owner, with the credentials of the chain adapter"
REQUESTER = "the task's requester: Authorization is the signed log challenge"
SECRET_OWNER = "the secret's owner: Authorization is the signature of address, name and value"
ADMIN = "the operator, with the header X-API-KEY"
SIGNED_IN = "an operator who signed in on the page; others are led to the form"
OUR_FORM = "an operator who signed in, from a form of the page"
UPLOADER = "workers with a token of the result proxy"


class Endpoint(NamedTuple):
    """Who may call an endpoint, what it takes, and what it answers."""

    who: str
    takes: str
    answers: str


EVERY_PROCESS = {
    "GET /actuator/health": Endpoint(EVERYONE, "", "200 or 503, JSON `{status, components}`"),
    "GET /actuator/health/liveness": Endpoint(EVERYONE, "", 'JSON `{"status":"UP"}`'),
    "GET /actuator/info": Endpoint(EVERYONE, "", "JSON `{build: {version}}`"),
    "GET /actuator/prometheus": Endpoint(EVERYONE, "", "metrics as Prometheus reads them"),
    "GET /metrics": Endpoint(EVERYONE, "", "the same; core and worker answer JSON documents here"),
    "GET /version": Endpoint(EVERYONE, "", "the version as text"),
}
"""The endpoints of every process, unless its own table has the path."""

_NO_BODY = ""
_TASK_ID = "a task id"
_EXISTS = "204 when it is stored; 400, 404"
_WRITTEN_ONCE = "204; 400, 401, 409, 413"
_PAGE = "an HTML page"
_ORDERED = "303 to the worker's page; 401, 403, 404"
_BACKUP = "a folder in hexadecimal, `?fileName=`"
_CONFIG_CHAIN = Endpoint(
    EVERYONE,
    _NO_BODY,
    "JSON `{chainId, sidechain, chainNodeUrl, iexecHubContractAddress, blockTime}`",
)
HTTP_ROWS: dict[str, dict[str, Endpoint]] = {
    "core": {
        "GET /actuator/prometheus/workers": Endpoint(
            EVERYONE,
            _NO_BODY,
            "metrics of each worker that was heard of within a day, as Prometheus reads them",
        ),
        "GET /metrics": Endpoint(
            EVERYONE, _NO_BODY, "JSON PlatformMetric: workers, CPUs, GPUs, tasks by status"
        ),
        "GET /tasks/{task_id}": Endpoint(
            EVERYONE,
            _TASK_ID,
            "JSON TaskModel: currentStatus, reason, dateStatusList, replicates with statusUpdateList; 404",
        ),
        "GET /tasks/logs/challenge": Endpoint(
            EVERYONE, "`?address=` the requester's", "JSON EIP-712 typed data; 400"
        ),
        "GET /tasks/{task_id}/logs": Endpoint(
            REQUESTER,
            "Authorization `<hash>_<signature>_<address>`",
            "JSON `{chainTaskId, computeLogsList: [{walletAddress, stdout, stderr}]}`; 401, 403, 404",
        ),
        "GET /tasks/{task_id}/replicates/{wallet}": Endpoint(
            EVERYONE, "a task id and a worker's address", "JSON ReplicateModel; 404"
        ),
        "GET /tasks/{task_id}/replicates/{wallet}/logs": Endpoint(
            REQUESTER,
            "Authorization `<hash>_<signature>_<address>`",
            "JSON `{walletAddress, stdout, stderr}`; 401, 403, 404",
        ),
        "GET /{chain_id}/workerpools/{workerpool}": Endpoint(
            EVERYONE,
            "the pool's address in any letter case",
            "JSON `{apiUrl}`; 404 for other pools and chains",
        ),
        "GET /": Endpoint(EVERYONE, _NO_BODY, "303 to the operator's page"),
        "GET /ui": Endpoint(EVERYONE, _NO_BODY, "303 to the operator's page"),
        "GET /ui/": Endpoint(EVERYONE, _NO_BODY, _PAGE),
        "GET /ui/style.css": Endpoint(EVERYONE, _NO_BODY, "its stylesheet"),
        "GET /ui/live.js": Endpoint(EVERYONE, _NO_BODY, "its script"),
        "GET /ui/icon.svg": Endpoint(EVERYONE, _NO_BODY, "its icon"),
        "GET /ui/find": Endpoint(EVERYONE, "`?q=` a task id or a worker's wallet", "303 to its page; 400"),
        "GET /ui/sign-in": Endpoint(EVERYONE, "`?next=` a path of the page", _PAGE),
        "POST /ui/sign-in": Endpoint(
            EVERYONE, "a form: username, password, next", "303 with a cookie; 400, 401, 403, 429"
        ),
        "POST /ui/sign-out": Endpoint(OUR_FORM, "a form: form_token", "303; 403"),
        "GET /ui/workers": Endpoint(SIGNED_IN, "`?q=&reason=&page=`", f"{_PAGE}; 400"),
        "GET /ui/workers/{wallet}": Endpoint(SIGNED_IN, "a worker's wallet", f"{_PAGE}; 404"),
        "POST /ui/workers/{wallet}/drain": Endpoint(OUR_FORM, "a form: form_token, seconds", _ORDERED),
        "POST /ui/workers/{wallet}/undrain": Endpoint(OUR_FORM, "a form: form_token", _ORDERED),
        "POST /ui/workers/{wallet}/quarantine": Endpoint(OUR_FORM, "a form: form_token, seconds", _ORDERED),
        "POST /ui/workers/{wallet}/release": Endpoint(OUR_FORM, "a form: form_token", _ORDERED),
        "GET /ui/tasks": Endpoint(SIGNED_IN, "`?status=&deal=&requester=&worker=&page=`", f"{_PAGE}; 400"),
        "GET /ui/tasks/{task_id}": Endpoint(
            EVERYONE, _TASK_ID, f"{_PAGE}, for operators with transactions and logs; 404"
        ),
        "GET /ui/tasks/{task_id}/logs/{wallet}/{stream}": Endpoint(
            SIGNED_IN, "a task id, a worker's wallet, stdout or stderr", "the output as text; 404"
        ),
        "GET /ui/deals": Endpoint(SIGNED_IN, "`?requester=&page=`", f"{_PAGE}; 400"),
        "GET /ui/deals/{deal_id}": Endpoint(SIGNED_IN, "a deal id", f"{_PAGE}; 404"),
        "GET /ui/transactions": Endpoint(SIGNED_IN, "`?state=&page=`", f"{_PAGE}; 503 without the adapter"),
        "GET /ui/wallet": Endpoint(SIGNED_IN, _NO_BODY, _PAGE),
    },
    "chain_adapter": {
        "GET /config/chain": _CONFIG_CHAIN,
        "POST /v1/tasks/initialize": Endpoint(
            OWNER, "`?chainDealId=&taskIndex=`", "the task id as JSON; 400, 401"
        ),
        "GET /v1/tasks/initialize/{task}/status": Endpoint(OWNER, _TASK_ID, "the status as JSON; 401, 404"),
        "POST /v1/tasks/finalize/{task}": Endpoint(
            OWNER, "JSON `{resultLink, callbackData}`", "the task id as JSON; 400, 401"
        ),
        "GET /v1/tasks/finalize/{task}/status": Endpoint(OWNER, _TASK_ID, "the status as JSON; 401, 404"),
    },
    "result_proxy": {
        "GET /results/{task_id}": Endpoint(
            EVERYONE,
            "a task id; Range",
            "application/zip, or 206 with a range of it; 404; 500 when the store has lost bytes of it",
        ),
        "PUT /results/{task_id}": Endpoint(
            UPLOADER,
            "the archive from its offset; `Workerpool-Upload`: UploadHeader in Base64",
            "JSON `{result_link}`; 400, 401, 403, 409, 429, 503",
        ),
        "GET /ipfs/{path:path}": Endpoint(
            EVERYONE,
            "a content id, and a path below it; Range",
            "the file of a result, or 206 with a range of it; 404; 500 when the node lacks bytes of it",
        ),
        "GET /results/challenge": Endpoint(
            EVERYONE, "`?address=&chainId=`", "JSON `{ok, data}` with EIP-712 typed data; 400"
        ),
        "POST /results/login": Endpoint(
            EVERYONE, "`?chainId=`, text `<hash>_<signature>_<address>`", "a token as text; 400, 401"
        ),
        "GET /results/{task_id}/ipfshash": Endpoint(EVERYONE, _TASK_ID, "the IPFS hash as text; 404"),
        "POST /v1/results/token": Endpoint(
            "workers with an authorization of the pool owner",
            "JSON authorization",
            "a token as text; 400, 401",
        ),
        "POST /v1/results": Endpoint(
            UPLOADER, "JSON with the archive in Base64", "the link as text; 400, 401, 403"
        ),
        "HEAD /v1/results/{task_id}": Endpoint(UPLOADER, _TASK_ID, "204 when it is stored; 401, 404"),
        "GET /v1/results/{task_id}/ipfshash": Endpoint(EVERYONE, _TASK_ID, "the IPFS hash as text; 404"),
    },
    "registry": {
        "GET /config/chain": _CONFIG_CHAIN,
        "GET /application/{stack}": Endpoint(
            EVERYONE, "a stack", "JSON of Spring Cloud Config: `{propertySources}`"
        ),
        "GET /application/{stack}/{label:path}": Endpoint(
            EVERYONE, "a stack and a label", "JSON of Spring Cloud Config: `{propertySources}`; 404"
        ),
    },
    "sms": {
        "HEAD /secrets/web3": Endpoint(EVERYONE, "`?secretAddress=` a dataset", _EXISTS),
        "POST /secrets/web3": Endpoint(SECRET_OWNER, "`?secretAddress=`, the value as text", _WRITTEN_ONCE),
        "HEAD /secrets/web2": Endpoint(EVERYONE, "`?ownerAddress=&secretName=`", _EXISTS),
        "POST /secrets/web2": Endpoint(
            SECRET_OWNER, "`?ownerAddress=&secretName=`, the value as text", _WRITTEN_ONCE
        ),
        "PUT /secrets/web2": Endpoint(
            SECRET_OWNER, "`?ownerAddress=&secretName=`, the new value as text", "204; 400, 401, 404, 413"
        ),
        "HEAD /apps/{address}/secrets": Endpoint(EVERYONE, "an app", _EXISTS),
        "POST /apps/{address}/secrets": Endpoint(SECRET_OWNER, "the value as text", _WRITTEN_ONCE),
        "HEAD /apps/{address}/secrets/{index}": Endpoint(EVERYONE, "an app and 1 (SDK 7.x)", _EXISTS),
        "POST /apps/{address}/secrets/{index}": Endpoint(
            SECRET_OWNER, "the value as text; index 1 (SDK 7.x)", _WRITTEN_ONCE
        ),
        "HEAD /requesters/{address}/secrets/{key}": Endpoint(EVERYONE, "a wallet and a name", _EXISTS),
        "POST /requesters/{address}/secrets/{key}": Endpoint(
            SECRET_OWNER, "the value as text", _WRITTEN_ONCE
        ),
        "GET /tee/framework": Endpoint(EVERYONE, _NO_BODY, 'JSON `"TDX"`, `"SCONE"` or `"GRAMINE"`'),
        "GET /tee/properties/{framework}": Endpoint(
            EVERYONE, "a framework (deprecated)", "as below, of the default version"
        ),
        "GET /tee/properties/{framework}/{version}": Endpoint(
            EVERYONE,
            "a framework and its version",
            "JSON `{teeFramework, teeFrameworkVersion, preComputeProperties, postComputeProperties}`; 404, 409",
        ),
        "POST /tee/challenges/{task_id}": Endpoint(
            "the pool owner: Authorization is the signed task id",
            _TASK_ID,
            "the enclave challenge as text; 400, 401, 404",
        ),
        "GET /tee/sessions/challenge": Endpoint(
            EVERYONE, "`?chainTaskId=&walletAddress=`", "JSON `{audience, nonce, expiresAt}`; 400"
        ),
        "POST /tee/sessions": Endpoint(
            "a worker: Authorization is its signature of authorization, audience and nonce",
            "JSON authorization of the pool owner with audience and nonce",
            "JSON `{data: {sessionId, secretProvisioningUrl, unattested}}`; 400, 401, 404, 409",
        ),
        "POST /tee/sessions/{session_id}": Endpoint(
            "the holder of the id of an unattested session", "a session id", "the session as JSON, once; 404"
        ),
        "GET /admin/secrets": Endpoint(
            ADMIN,
            "`?pageSize=&pageToken=`",
            "JSON `{owners: [{wallet, secrets, bytes, kinds, deposit}], nextPageToken}`; 400, 401, 403, 503",
        ),
        "DELETE /admin/secrets": Endpoint(
            ADMIN, "`?wallet=&contracts=true`", "JSON `{removed}`; 400, 401, 403, 429, 503"
        ),
        "POST /admin/backup": Endpoint(ADMIN, _NO_BODY, "201, JSON `{rows}`; 401, 403, 429, 503"),
        "POST /admin/{storage}/replicate-backup": Endpoint(
            ADMIN, _BACKUP, "200; 400, 401, 403, 404, 429, 503"
        ),
        "POST /admin/{storage}/restore-backup": Endpoint(
            ADMIN, _BACKUP, "JSON `{rows}`; 400, 401, 403, 404, 429, 503"
        ),
        "POST /admin/{source}/copy-to/{target}": Endpoint(
            ADMIN, "`?fileName=&destinationFileName=`", "200; 400, 401, 403, 404, 429, 503"
        ),
        "DELETE /admin/{storage}/delete-backup": Endpoint(
            ADMIN, _BACKUP, "200; 400, 401, 403, 404, 429, 503"
        ),
    },
    "worker": {
        "GET /metrics": Endpoint(EVERYONE, _NO_BODY, "JSON: durations of the stages of replicates"),
    },
}
"""The endpoints of each service by method and path, as the code spells the path."""
