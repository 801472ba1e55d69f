"""Random HTTP requests: real paths with random parts, headers and bodies, by any role."""

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp
from contract.access_table import ROWS
from contract.fuzz.signed import SignedRequest, market_authorization, signed_secret
from contract.fuzz.values import Values
from contract.http_table import EVERY_PROCESS, HTTP_ROWS
from workerpool_kit.http.answers import GRPC_STATUS
from workerpool_poco.chain.wallet import Wallet

_QUERIES = {
    "GET /tasks/logs/challenge": ("?address={}", "?chainId={}&address={}"),
    "POST /v1/tasks/initialize": ("?chainDealId={}&taskIndex={}",),
    "GET /results/{task_id}": ("?offset={}",),
    "GET /results/challenge": ("?address={}&chainId={}",),
    "POST /results/login": ("?chainId={}",),
    "HEAD /secrets/web3": ("?secretAddress={}",),
    "POST /secrets/web3": ("?secretAddress={}",),
    "HEAD /secrets/web2": ("?ownerAddress={}&secretName={}",),
    "POST /secrets/web2": ("?ownerAddress={}&secretName={}",),
    "PUT /secrets/web2": ("?ownerAddress={}&secretName={}",),
    "GET /tee/sessions/challenge": ("?chainTaskId={}&walletAddress={}",),
    "GET /admin/secrets": ("?pageToken={}", "?pageSize={}"),
    "DELETE /admin/secrets": ("?wallet={}", "?wallet={}&contracts={}"),
    "POST /admin/{storage}/replicate-backup": ("?fileName={}",),
    "POST /admin/{storage}/restore-backup": ("?fileName={}",),
    "POST /admin/{source}/copy-to/{target}": ("?fileName={}&destinationFileName={}",),
    "DELETE /admin/{storage}/delete-backup": ("?fileName={}",),
}
"""Query strings of endpoints that read them."""
_ORDERS = ("apporders", "datasetorders", "workerpoolorders", "requestorders")
_MARKET = (
    ("GET", "/challenge?chainId={}&address={}"),
    ("GET", "/deals?chainId={}&requester={}&dealid={}"),
    *((method, f"/{kind}?chainId={{}}") for kind in _ORDERS for method in ("GET", "POST", "PUT")),
    *(
        ("GET", f"/{kind}?chainId={{}}&{query}={{}}&minTag={{}}&pageSize={{}}")
        for kind in _ORDERS
        for query in _ORDERS
    ),
    *(("GET", f"/{kind}/{{}}?chainId={{}}") for kind in _ORDERS),
)
"""The market of the devnet; it is no service of a pool, so the table of endpoints leaves it out."""


def _paths(endpoints: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return the method of each endpoint and its path, with `{}` where a random text stands."""
    found = []
    for endpoint in endpoints:
        method, path = endpoint.split(" ")
        plain = re.sub(r"\{[^}]*\}", "{}", path)
        found += [(method, plain + query) for query in ("", *_QUERIES.get(endpoint, ()))]
    return tuple(found)


PATHS = {
    **{name: _paths(HTTP_ROWS.get(name.partition("-")[0], {})) for name in ROWS},
    "market": _MARKET,
}
"""Every endpoint of each process, without those that every process has."""
_EVERYWHERE = _paths([*EVERY_PROCESS, "GET /actuator/{name}", "GET /{name}", "GET /actuator/health?x={x}"])
_METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW")
_HEADERS = (
    "Authorization",
    "X-API-KEY",
    "Content-Type",
    "Range",
    "Accept",
    "If-None-Match",
    "Origin",
    "X-Forwarded-For",
    "Workerpool-Upload",
)
_TIMEOUT = aiohttp.ClientTimeout(total=15)


@dataclass(frozen=True)
class Around:
    """What a caller may have: credentials, the operator's key of the SMS, a wallet, and the id of the chain."""

    credentials: Sequence[str | None]
    api_key: str
    signer: Wallet
    chain_id: int


def session() -> aiohttp.ClientSession:
    """Return the session of one test, with few connections."""
    return aiohttp.ClientSession(timeout=_TIMEOUT, connector=aiohttp.TCPConnector(limit=20))


async def fuzz(
    client: aiohttp.ClientSession, base: str, service: str, values: Values, around: Around
) -> tuple[str, int]:
    """Send one random request; return its method and path, and the status (0: the connection was closed).

    An answer of 500 or more is added to the first.
    """
    random = values.random
    if service == "sms" and random.random() < 0.2:
        return await _send(client, base, signed_secret(values, around.signer))
    usual, path = random.choice(PATHS[service] + _EVERYWHERE)
    if random.random() < 0.9:
        # Most of what another chain is asked is refused for that alone.
        path = path.replace("chainId={}", f"chainId={around.chain_id}")
    first, *others = path.split("{}")
    url = first + "".join(quote(values.text()[:2_000], safe="%?&=") + rest for rest in others)
    headers = {name: _header(values) for name in _HEADERS if random.random() < 0.15}
    credentials = random.choice(around.credentials)
    if credentials is not None and random.random() < 0.7:
        headers["Authorization"] = credentials
    if random.random() < 0.7:
        headers["X-API-KEY"] = around.api_key
    method = usual if random.random() < 0.7 else random.choice(_METHODS)
    if service == "market" and method in ("POST", "PUT") and random.random() < 0.7:
        headers["Authorization"] = await market_authorization(client, base, around.signer, around.chain_id)
    body = _body(values) if method not in ("GET", "HEAD") or random.random() < 0.1 else None
    return await _send(client, base, SignedRequest(method, url, headers, body))


async def _send(client: aiohttp.ClientSession, base: str, request: SignedRequest) -> tuple[str, int]:
    sent = f"{request.method} {request.path[:200]}"
    try:
        content = None if request.body is None else io.BytesIO(request.body)
        async with client.request(
            request.method, base + request.path, headers=request.headers, data=content
        ) as answer:
            answered = await answer.read()
            if answer.status >= 500:
                # What failed: the code and the sentence of the service, which an answer to HEAD has not.
                sent += f", answered {answered[:300]!r}, {GRPC_STATUS}: {answer.headers.get(GRPC_STATUS)}"
            return sent, answer.status
    except (aiohttp.ClientError, ValueError):
        return sent, 0


def _header(values: Values) -> str:
    text = values.text()[:500].encode("ascii", "ignore").decode()
    return "".join(character for character in text if character >= " " and character != "\x7f")


def _body(values: Values) -> bytes:
    kinds = (
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"resultLink": 1}',
        b'{"resultLink": "x", "callbackData": {"a": []}}',
        b'{"resultLink": "x", "callbackData": "0xzz"}',
        b'{"order": {}}',
        b'{"order": {"sign": 1, "salt": [], "volume": -1}}',
        b'{"target": "unpublish_all", "app": {}}',
        b'{"target": "unpublish_last", "workerpool": "\\ud800"}',
        b'{"target": "unpublish_orderHash", "orderHash": 1e999}',
        b'{"chainTaskId": 1, "zip": {}}',
        b'{"chainTaskId": "0x", "zip": "===="}',
        b'{"workerWallet": [], "signature": {"value": {}}, "taskIndex": 1e400}',
        b"[" * 99_000,
        b'{"a":' * 50_000,
        b'{"a":"' + b"\\ud800" * 1_000 + b'"}',
        b"\xff\xfe{\x00}\x00",
        b'{"resultLink": ' + b"9" * 20_000 + b"}",
        b" " * 2_000_000,
    )
    return values.random.choice(kinds) if values.random.random() < 0.8 else values.data()
