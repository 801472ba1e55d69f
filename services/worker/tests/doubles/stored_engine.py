"""A Docker engine over HTTP that keeps containers, networks and images in memory, so removals disturb nothing."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

IMAGE_BYTES = 4_096
"""Size of each image."""


@dataclass
class StoredEngine:
    """Containers, networks and images as the engine lists them. `refusals` answers requests, by method and path."""

    containers: list[dict[str, Any]] = field(default_factory=list)
    networks: list[dict[str, Any]] = field(default_factory=list)
    images: dict[str, str] = field(default_factory=lambda: {"workerpool-sandbox:1": "sha256:1"})
    """Ids of images by name."""
    removed: list[str] = field(default_factory=list)
    """Ids of removed containers and names of removed networks and images, in order."""
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Status and message by method and the path without the API's version, such as "DELETE /containers/abc"."""
    documents: dict[str, Any] = field(default_factory=dict)
    """Answers to requests that are not about lists, by method and path."""
    created: list[dict[str, Any]] = field(default_factory=list)
    """The bodies of requests for new containers."""
    url: str = ""

    def container(
        self, identity: str, network_mode: str = "none", state: str = "exited", **labels: str
    ) -> None:
        """Add a container; a label's name has `_` for `.`."""
        self.containers.append(
            {
                "Id": identity,
                "State": state,
                "Labels": {name.replace("_", "."): value for name, value in labels.items()},
                "HostConfig": {"NetworkMode": network_mode},
            }
        )

    def network(self, name: str) -> None:
        """Add a network of apps."""
        self.networks.append({"Name": name, "Labels": {"workerpool.network": "apps"}})

    def _create(self, body: dict[str, Any]) -> str:
        identity = f"new{len(self.created) or ''}"
        self.created.append(body)
        self.container(identity, body["HostConfig"].get("NetworkMode", ""), "created")
        self.containers[-1]["Labels"] = body.get("Labels") or {}
        return identity

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        path = "/" + request.path.split("/", 2)[2] if request.path.startswith("/v1.") else request.path
        asked = f"{request.method} {path}"
        if asked in self.refusals:
            status, message = self.refusals[asked]
            return web.json_response({"message": message}, status=status)
        if asked in self.documents:
            return web.json_response(self.documents[asked])
        match request.method, path.split("/")[1:]:
            case "GET", ["version"]:
                return web.json_response({"ApiVersion": "1.44"})
            case "GET", ["containers", "json"]:
                return web.json_response(_matching(self.containers, request, "HostConfig"))
            case "GET", ["networks"]:
                return web.json_response(_matching(self.networks, request, "Name"))
            case "GET", ["images", *name, "json"] if "/".join(name) in self.images:
                return web.json_response({"Id": self.images["/".join(name)], "Size": IMAGE_BYTES})
            case "POST", ["containers", "create"]:
                return web.json_response({"Id": self._create(await request.json())}, status=201)
            case "DELETE", ["containers" | "networks", name]:
                self.removed.append(name)
                self.containers = [each for each in self.containers if each["Id"] != name]
                self.networks = [each for each in self.networks if each["Name"] != name]
                return web.Response(status=204)
            case "DELETE", ["images", *name] if self.images.pop("/".join(name), None) is not None:
                self.removed.append("/".join(name))
                return web.json_response([{"Untagged": "/".join(name)}])
        return web.json_response({"message": f"no such page: {asked}"}, status=404)


def _matching(found: list[dict[str, Any]], request: web.Request, network: str) -> list[dict[str, Any]]:
    filters = json.loads(request.query.get("filters", "{}"))
    return [
        each
        for each in found
        if all(_has_label(each["Labels"], label) for label in filters.get("label", []))
        and all(name in str(each[network]) for name in filters.get("network", []))
    ]


def _has_label(labels: dict[str, str], wanted: str) -> bool:
    name, has_value, value = wanted.partition("=")
    return name in labels and (not has_value or labels[name] == value)


@asynccontextmanager
async def running_engine() -> AsyncIterator[StoredEngine]:
    """Serve an empty engine at a free port until the block ends."""
    engine, app = StoredEngine(), web.Application()
    app.router.add_route("*", "/{path:.*}", engine.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        engine.url = f"tcp://127.0.0.1:{runner.addresses[0][1]}"
        yield engine
    finally:
        await runner.cleanup()
