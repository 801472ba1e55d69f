"""A private registry with TLS and passwords, and before it a proxy that limits, fails or hangs as a test says."""

import base64
import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
from certificates import Authority
from workerpool_kit.tls.material import TlsFiles

_FETCHED = Path(__file__).parents[4] / ".cache" / "docker-registry" / "usr" / "bin" / "docker-registry"
NAME = "registry.workerpool.test"
USER, PASSWORD = "operator", "only for tests"
OTHER_ADDRESS, OTHER_USER = "127.0.0.2", "from the other address"
"""The proxy listens here too, to recognise an engine that takes this for the registry's address."""
_HASH = "$2b$05$hii.a4T6DQdXUr0qMaiOUO2GygBSgyZDipvqcK6yMdfxwGjSwxudK"
"""bcrypt of the password: the registry accepts no other kind."""
_CONFIG = """
version: 0.1
log: {{level: info, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {data}}}}}
http:
  addr: {address}:0
  relativeurls: true
  secret: only-for-tests
  tls: {{certificate: {certificate}, key: {key}}}
auth: {{htpasswd: {{realm: tests, path: {passwords}}}}}
"""
_START_LIMIT_S = 30.0
_MANIFEST = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
_LIST_TYPE = "application/vnd.docker.distribution.manifest.list.v2+json"


def why_not() -> str:
    """Return why no registry can run here; empty if one can."""
    if _program() is None:
        return "NO REGISTRY: run tools/install_registry.sh; the tests with a private registry did not run"
    return (
        "" if own_address() else "NO NETWORK: an engine trusts a registry at 127.0.0.1 without a certificate"
    )


def _program() -> str | None:
    """Return the path of the registry's program."""
    return str(_FETCHED) if _FETCHED.exists() else shutil.which("docker-registry")


def own_address() -> str:
    """Return an address of this host that is not loopback; empty if there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])


@dataclass(frozen=True)
class Fault:
    """What the proxy answers instead of the registry: a status, or nothing for as long as it hangs."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    hangs: bool = False


LIMITED = Fault(429, {}, '{"errors":[{"code":"TOOMANYREQUESTS","message":"pull rate limit reached"}]}')
LIMITED_FOR_1_S = Fault(429, {"Retry-After": "1"}, LIMITED.body)
FAILED = Fault(503, {}, "out of order")
HUNG = Fault(hangs=True)


@dataclass
class Registry:
    """A running registry and its proxy. `fault` chooses the answer by user and path; None passes the request on."""

    port: int
    proxy_port: int
    authority: Authority
    fault: Callable[[str, str], Fault | None] = lambda user, path: None
    public: bool = False
    """Whether the proxy serves everyone, except for a wrong password."""
    seen: list[tuple[str, str]] = field(default_factory=list)
    """User and path of each request at the proxy."""
    released: threading.Event = field(default_factory=threading.Event)

    def image(self, name: str, *, direct: bool = False) -> str:
        """Return the full name of an image, at the proxy or directly at the registry."""
        return f"{NAME}:{self.port if direct else self.proxy_port}/{name}"

    def reset(self) -> None:
        """Pass all requests on again and forget those that were seen."""
        self.fault, self.public = (lambda user, path: None), False
        # The engine waits for a hung layer until its connection ends, and so does the next pull of that layer.
        self.released.set()
        self.released = threading.Event()
        self.seen.clear()

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Call the registry's API with the operator's credentials."""
        answer = requests.request(
            method,
            f"https://{own_address()}:{self.port}{path}",
            auth=(USER, PASSWORD),
            verify=str(self.authority.file),
            timeout=30,
            **arguments,
        )
        answer.raise_for_status()
        return answer

    def push(self, api: Any, local: str, name: str, tag: str) -> None:
        """Push an image of an engine that trusts the registry."""
        full = self.image(name, direct=True)
        api.tag(local, full, tag)
        auth = {"username": USER, "password": PASSWORD}
        for step in api.push(full, tag, stream=True, decode=True, auth_config=auth):
            if "error" in step:
                raise RuntimeError(step["error"])
        api.remove_image(f"{full}:{tag}")

    def digest(self, name: str, tag: str) -> str:
        """Return the digest of an image."""
        return self.call("GET", f"/v2/{name}/manifests/{tag}", headers=_MANIFEST).headers[
            "Docker-Content-Digest"
        ]

    def push_foreign(self, source: str, tag: str, name: str) -> None:
        """Make `name:tag` an image for another processor alone: a list that names the manifest of `source`."""
        manifest = self.call("GET", f"/v2/{source}/manifests/{tag}", headers=_MANIFEST)
        entry = {
            "mediaType": _MANIFEST["Accept"],
            "size": len(manifest.content),
            "digest": manifest.headers["Docker-Content-Digest"],
            "platform": {"architecture": "s390x", "os": "linux"},
        }
        listed = {"schemaVersion": 2, "mediaType": _LIST_TYPE, "manifests": [entry]}
        for digest in [layer["digest"] for layer in (manifest.json()["config"], *manifest.json()["layers"])]:
            self.call("POST", f"/v2/{name}/blobs/uploads/?mount={digest}&from={source}")
        self.call(
            "PUT",
            f"/v2/{name}/manifests/{entry['digest']}",
            data=manifest.content,
            headers={"Content-Type": _MANIFEST["Accept"]},
        )
        self.call(
            "PUT",
            f"/v2/{name}/manifests/{tag}",
            data=json.dumps(listed),
            headers={"Content-Type": _LIST_TYPE},
        )


@contextmanager
def private_registry(folder: Path) -> Iterator[Registry]:
    """Run a registry in `folder`, and its proxy."""
    folder.mkdir()
    authority = Authority(folder)
    files = authority.issue("registry", NAME, own_address())
    (folder / "passwords").write_text(f"{USER}:{_HASH}\n")
    config = folder / "config.yml"
    config.write_text(
        _CONFIG.format(
            data=folder / "data",
            address=own_address(),
            certificate=files.certificate,
            key=files.key,
            passwords=folder / "passwords",
        )
    )
    log = folder / "log"
    with log.open("w") as output:
        program = _program()
        assert program is not None
        process = subprocess.Popen(
            [program, "serve", str(config)], stdout=output, stderr=subprocess.STDOUT, env={}
        )
    try:
        registry = Registry(_port(process, log), 0, authority)
        with _proxy(registry, files, own_address()), _proxy(registry, files, OTHER_ADDRESS):
            yield registry
    finally:
        process.terminate()
        process.wait(10)


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    end = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(r"listening on [0-9.]+:(\d+)", log.read_text()):
            return int(found[1])
        time.sleep(0.05)
    raise RuntimeError(f"the registry did not start: {log.read_text()[-2000:]}")


@contextmanager
def _proxy(registry: Registry, files: TlsFiles, address: str) -> Iterator[None]:
    handler = type("Handler", (_Handler,), {"registry": registry})
    server = _Server((address, registry.proxy_port), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert files.certificate is not None
    context.load_cert_chain(files.certificate, files.key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    registry.proxy_port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        registry.released.set()
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client that distrusts the certificate ends the connection."""


class _Handler(BaseHTTPRequestHandler):
    """Passes reads on to the registry unless the test has another answer."""

    protocol_version = "HTTP/1.1"
    registry: Registry

    def do_GET(self) -> None:
        """Answer as the test says, or as the registry does."""
        is_other = self.connection.getsockname()[0] == OTHER_ADDRESS
        user = OTHER_USER if is_other else _user(self.headers.get("Authorization", ""))
        self.registry.seen.append((user, self.path))
        fault = self.registry.fault(user, self.path)
        if fault is not None and fault.hangs:
            self.registry.released.wait(120)
            self.close_connection = True
        elif fault is not None:
            self._answer(fault.status, fault.headers, fault.body.encode())
        elif self.registry.public:
            self._serve_all(self.headers.get("Authorization", ""))
        else:
            self._pass_on(dict(self.headers))

    def _serve_all(self, authorization: str) -> None:
        """Play a registry of public images: it gives a token to everyone, but not for a wrong password."""
        operator = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
        if self.path.startswith("/token"):
            known = authorization in ("", operator)
            refusal = b'{"errors":[{"code":"UNAUTHORIZED","message":"incorrect username or password"}]}'
            self._answer(200 if known else 401, {}, b'{"token":"t"}' if known else refusal)
        elif authorization.startswith("Bearer"):
            self._pass_on(dict(self.headers) | {"Authorization": operator})
        else:
            realm = f"https://{NAME}:{self.registry.proxy_port}/token"
            self._answer(401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="tests"'}, b"{}")

    do_HEAD = do_GET

    def _pass_on(self, headers: dict[str, str]) -> None:
        context = ssl.create_default_context(cafile=str(self.registry.authority.file))
        upstream = http.client.HTTPSConnection(own_address(), self.registry.port, context=context, timeout=30)
        try:
            upstream.request(self.command, self.path, headers=headers)
            answer = upstream.getresponse()
            body = answer.read()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
            self._answer(answer.status, kept, body, answer.getheader("Content-Length"))
        finally:
            upstream.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes, length: str | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", length if length is not None else str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


_HOP_BY_HOP = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive"})


def _user(authorization: str) -> str:
    kind, _, value = authorization.partition(" ")
    return base64.b64decode(value).decode().partition(":")[0] if kind.lower() == "basic" else ""
