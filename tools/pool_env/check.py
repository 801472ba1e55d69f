"""Problems of a .env in production: pure rules over the variables, for `make pool-check` and poolctl."""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from moving.successors import env_advice

WELL_KNOWN = frozenset(
    {"whatever", "admin", "administrator", "password", "passw0rd", "changeme", "change-me", "secret", "root"}
    | {"123456", "12345678", "iexec", "workerpool", "default", "test", "guest", "operator"}
    # Passwords of the examples of older stacks.
    | {"mywalletpassw0rd", "mongouipassw0rd", "mongouiadmin"}
)
"""Passwords that every list of default passwords has, in lower case."""
SHORTEST = 12
"""Least length of a password that this pool chooses; a wallet's may be older."""
_WALLETS = ("PROD_CORE_WALLET_PASSWORD", "PROD_WALLET_PASSWORD")
_POOL_PASSWORDS = (
    *("PROD_CORE_WALLET_PASSWORD", "PROD_CHAIN_ADAPTER_PASSWORD", "PROD_MONGO_PASSWORD"),
    *("PROD_GRAFANA_ADMIN_PASSWORD", "IEXEC_CORE_OPERATOR_PASSWORD", "ME_CONFIG_BASICAUTH_PASSWORD"),
)
PASSWORDS = (*_POOL_PASSWORDS, "PROD_WALLET_PASSWORD")
_HOSTS = (
    *(
        "PROD_CORE_HOST",
        "PROD_RESULT_HOST",
        "PROD_PLATFORM_REGISTRY_HOST",
        "PROD_SMS_HOST",
        "PROD_GRAFANA_HOST",
    ),
    "PROD_CHAIN_ADAPTER_HOST",
)
_URLS = (
    *(
        "CHAIN_URL",
        "CHAIN_PUBLIC_URL",
        "IEXEC_CORE_URL",
        "IEXEC_CONFIG_SERVER_URL",
        "IEXEC_RESULT_REPOSITORY_URL",
    ),
    *("IEXEC_SMS_URL", "GRAFANA_URL", "MARKET_API_URL", "ACME_SERVER", "WORKER_CHAIN_URL"),
)
_NUMBERS = (
    *("CHAIN_ID", "CHAIN_LAST_BLOCK", "WORKERPOOL_PRICE", "WORKERPOOL_PRICE_MIN", "WORKERPOOL_PRICE_MAX"),
    *("MAX_ORDER_NUMBER", "WORKER_AVAILABLE_CPU", "WORKER_ID", "WORKER_PORT", "REVEAL_TIMEOUT_PERIOD"),
)
_ADDRESSES = (
    *("PROD_POOL_ADDRESS", "CHAIN_HUB_ADDRESS", "ORDER_PUBLISHER_REQUESTER_RESTRICT"),
    *("ORDER_PUBLISHER_APP_RESTRICT", "ORDER_PUBLISHER_DATASET_RESTRICT"),
)
_SWITCHES = (
    *("CHAIN_IS_SIDECHAIN", "ORDER_PUBLISHER_PAUSED", "GF_AUTH_ANONYMOUS_ENABLED", "WORKER_ALLOW_CLEARTEXT"),
)
_POOLCTL_FILES = {
    "IEXEC_CORE_OPERATOR_PASSWORD": "IEXEC_CORE_OPERATOR_PASSWORD_FILE",
    "PROD_CHAIN_ADAPTER_PASSWORD": "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD_FILE",
}
"""A password, and the variable by which poolctl finds its file."""
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_URL_SAFE = re.compile(r"[A-Za-z0-9._~-]+")
_HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_RESERVED = (".example", ".example.com", ".example.org", ".invalid", ".test", ".localhost")


@dataclass(frozen=True)
class Scope:
    """Which parts of .env are in use."""

    pool: bool = True
    worker: bool = False
    proxy: bool = False
    """Whether a reverse proxy is in front, so that each service needs a name of its own."""
    https: bool = False
    """Whether that proxy obtains certificates."""


def problems(
    values: Mapping[str, str], known: Collection[str], scope: Scope, secrets: Mapping[str, str] | None = None
) -> list[str]:
    """Return one sentence per problem, each starting with its variable.

    Args:
        values: the variables of .env.
        known: the variables of .env.example.
        scope: what runs with this .env.
        secrets: passwords that secret files hold, by the variables that would set them.
    """
    own = {name: value for name, value in values.items() if value}
    set_ = {**(secrets or {}), **own}
    found = [*_names(values, known), *_forms(set_), *_passwords(set_), *_twice(own)]
    if scope.pool:
        found += _pool(set_)
    if scope.worker:
        found += _worker(set_)
    if scope.proxy or scope.https:
        found += _proxy(set_)
    if scope.https:
        found += _https(set_)
    return found


def _names(values: Mapping[str, str], known: Collection[str]) -> Iterator[str]:
    for name in values:
        if name in known:
            continue
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else "remove it"
        yield f"{name}: {env_advice(name) or f'no such variable; {hint}'}"


def _forms(values: Mapping[str, str]) -> Iterator[str]:
    rules = (
        (
            _ADDRESSES,
            lambda text: bool(_ADDRESS.fullmatch(text)),
            "expected an address: 0x and 40 hexadecimal digits",
        ),
        (_NUMBERS, str.isdecimal, "expected a whole number"),
        (_SWITCHES, lambda text: text in ("true", "false"), "expected true or false"),
        (_HOSTS, _is_host, "expected a host name or an address, without a scheme and a port"),
        (_URLS, _is_url, "expected a URL such as https://host"),
    )
    for names, fits, expected in rules:
        for name in names:
            if name in values and not fits(values[name]):
                yield f"{name}: {expected}"


def _passwords(values: Mapping[str, str]) -> Iterator[str]:
    first: dict[str, str] = {}
    for name in PASSWORDS:
        password = values.get(name, "")
        if not password:
            continue
        if password.lower() in WELL_KNOWN:
            yield f"{name}: a well-known default; choose a password of your own"
        elif name not in _WALLETS and len(password) < SHORTEST:
            yield f"{name}: it has fewer than {SHORTEST} characters; empty makes a strong one"
        elif password in first and not {name, first[password]} <= set(_WALLETS):
            yield f"{name}: it is that of {first[password]}; choose another one"
        first.setdefault(password, name)
    mongo = values.get("PROD_MONGO_PASSWORD", "x")
    if not _URL_SAFE.fullmatch(mongo):
        yield "PROD_MONGO_PASSWORD: use letters, digits and . _ ~ - only, since mongo-express writes it into a URL"


def _twice(own: Mapping[str, str]) -> Iterator[str]:
    for name, file in _POOLCTL_FILES.items():
        if name in own and file in own:
            yield f"{name}: set either it or {file}, which poolctl reads, not both"


def _pool(values: Mapping[str, str]) -> Iterator[str]:
    needed = {
        "PROD_POOL_ADDRESS": "the workerpool's address on chain",
        "PROD_CORE_HOST": "the name or address of this host for workers and requesters",
        "CHAIN_LAST_BLOCK": "the chain's newest block; without it core reads the whole chain",
    }
    for name, what in needed.items():
        if name not in values:
            yield f"{name}: not set; it is {what}"
    if set(values.get("PROD_POOL_ADDRESS", "x")) <= set("0x"):
        yield "PROD_POOL_ADDRESS: the zero address is no workerpool"
    for name in _HOSTS:
        if _is_local(values.get(name, "")):
            yield f"{name}: workers and requesters cannot reach {values[name]}"
    for name in ("PROD_RESULT_HOST", "PROD_PLATFORM_REGISTRY_HOST"):
        if name in values and values[name] == values.get("PROD_CORE_HOST"):
            yield f"{name}: leave it empty for the name of PROD_CORE_HOST, since Compose refuses equal entries"
    for name in _POOL_PASSWORDS:
        if name not in values:
            yield f"{name}: no value and no secret file; run `make pool-secrets`"
    if "WORKERPOOL_PRICE_MIN" in values and values.get("WORKERPOOL_PRICE", "0") != "0":
        yield "WORKERPOOL_PRICE: set either it, or WORKERPOOL_PRICE_MIN and WORKERPOOL_PRICE_MAX, not both"
    if values.get("CHAIN_IS_SIDECHAIN") == "false" and values.get("GAS_PRICE_CAP", "0") == "0":
        yield "GAS_PRICE_CAP: 0 pays nothing, but CHAIN_IS_SIDECHAIN is false: no transaction would be mined"


def _worker(values: Mapping[str, str]) -> Iterator[str]:
    if "PROD_WALLET_PASSWORD" not in values:
        yield "PROD_WALLET_PASSWORD: no value and no file with the password of the worker's wallet"
    url = values.get("IEXEC_CORE_URL", "http://")
    if url.startswith("http:") and values.get("WORKER_ALLOW_CLEARTEXT") != "true":
        yield (
            "WORKER_ALLOW_CLEARTEXT: the worker's tokens would travel without TLS; give an https IEXEC_CORE_URL, or "
            "set it to true on a private network"
        )
    if not values.get("RESULTS_DIR", "/x").startswith("/"):
        yield "RESULTS_DIR: expected an absolute path, which is the same in the container"


def _proxy(values: Mapping[str, str]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for name in _HOSTS:
        host = values.get(name, "").lower()
        if not host:
            yield f"{name}: not set; behind a reverse proxy each service needs a name of its own"
        elif host in seen:
            yield f"{name}: {seen[host]} has the same name; give each service one of its own"
        seen.setdefault(host, name)


def _https(values: Mapping[str, str]) -> Iterator[str]:
    for name in _HOSTS:
        host = values.get(name, "")
        if _ip(host) or host.endswith(_RESERVED):
            yield f"{name}: no public authority issues a certificate for {host}"
    if "@" not in values.get("LETSENCRYPT_ADMIN_EMAIL", ""):
        yield "LETSENCRYPT_ADMIN_EMAIL: not set; the authority writes to it before certificates expire"
    if not values.get("IEXEC_CORE_URL", "").startswith("https://"):
        yield "IEXEC_CORE_URL: set it to https:// and PROD_CORE_HOST, which workers read"


def _is_host(text: str) -> bool:
    return _ip(text) or bool(_HOST_NAME.fullmatch(text))


def _ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_local(host: str) -> bool:
    return host == "localhost" or (
        _ip(host) and (ip_address(host).is_loopback or ip_address(host).is_unspecified)
    )


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
