"""A real Prometheus for tests: the configuration of deploy/prometheus, with the addresses of this machine."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp
import http_calls
import yaml
from patience import PATIENCE_S
from workerpool_devnet.packages import repository_root
from workerpool_devnet.processes.ports import free_port
from workerpool_devnet.processes.process import ManagedProcess

BINARY = repository_root() / ".cache" / "prometheus" / "usr" / "bin" / "prometheus"
"""`make prometheus` unpacks it."""
DEPLOYED = repository_root() / "deploy" / "prometheus"
_INTERVAL = "1s"


class QueryFailed(Exception):
    """Prometheus refused a query; the message is Prometheus's."""


class Prometheus:
    """One server, in a folder of its own.

    `targets` are the addresses of each job by its name in prometheus.yml; every job of the file must have some.
    """

    def __init__(self, folder: Path, targets: Mapping[str, list[str]]) -> None:
        """Write the configuration; `start` runs the server."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        self._write(folder, {**targets, "prometheus": [f"127.0.0.1:{self.port}"]})
        self._process = ManagedProcess(
            "prometheus",
            [
                str(BINARY),
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            log=folder / "prometheus.log",
        )

    async def __aenter__(self) -> Self:
        self._process.start()
        await self._until_ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._process.stop)

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an instant query now. Raises QueryFailed."""
        data = await self._get("/api/v1/query", query=expression)
        found = data["result"]
        return list(found) if data["resultType"] == "vector" else [{"metric": {}, "value": found}]

    async def query_range(self, expression: str, seconds: float) -> list[dict[str, Any]]:
        """Return the series of a range query over the last seconds. Raises QueryFailed."""
        now = time.time()
        data = await self._get(
            "/api/v1/query_range", query=expression, start=f"{now - seconds}", end=f"{now}", step="5"
        )
        return list(data["result"])

    async def targets(self) -> list[dict[str, Any]]:
        """Return the active targets."""
        return list((await self._get("/api/v1/targets", state="active"))["activeTargets"])

    async def rules(self) -> list[dict[str, Any]]:
        """Return every rule with its health."""
        return [rule for group in (await self._get("/api/v1/rules"))["groups"] for rule in group["rules"]]

    async def _get(self, path: str, **parameters: str) -> Any:
        answer = (await http_calls.get(f"{self.url}{path}?{urlencode(parameters)}")).json()
        if answer["status"] != "success":
            raise QueryFailed(answer["error"])
        return answer["data"]

    async def _until_ready(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self._process.check()
                try:
                    if (await http_calls.get(f"{self.url}/-/ready")).status == 200:
                        return
                except aiohttp.ClientConnectionError:
                    pass
                await asyncio.sleep(0.1)

    def _write(self, folder: Path, targets: Mapping[str, list[str]]) -> None:
        """Write prometheus.yml with these targets, a short interval, and the deployed rules."""
        content = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())
        content["global"] = {"scrape_interval": _INTERVAL, "evaluation_interval": _INTERVAL}
        content["rule_files"] = [str(DEPLOYED / pattern) for pattern in content["rule_files"]]
        for job in content["scrape_configs"]:
            job.pop("scrape_interval", None)
            addresses = targets[job["job_name"]]
            if "static_configs" in job:
                job["static_configs"] = [{"targets": addresses}]
                job.pop("file_sd_configs", None)
            else:
                # Jobs without fixed targets keep their discovery, with files of the deployed names.
                for file in job["file_sd_configs"]:
                    named = folder / file["files"][0].replace("*", "found")
                    named.parent.mkdir(exist_ok=True)
                    named.write_text(yaml.safe_dump([{"targets": addresses}]))
        (folder / "prometheus.yml").write_text(yaml.safe_dump(content))
