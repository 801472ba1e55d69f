"""The support bundle: one archive with what a pool shows, without its secrets."""

import asyncio
import io
import json
import os
import platform
import tarfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp
from workerpool_kit.tls.identity import identity

from poolctl.adapters.adapter import Adapter
from poolctl.adapters.checks.collect import collect
from poolctl.adapters.core import LIVE, Core
from poolctl.adapters.publisher import offers
from poolctl.adapters.services import Services
from poolctl.adapters.support.service_logs import FileLogs, logs_of
from poolctl.domain.diagnosis.diagnosis import diagnose
from poolctl.domain.explanations import explain_task, explain_worker
from poolctl.domain.redaction import Redaction
from poolctl.errors import CommandFailed
from poolctl.settings import PoolctlSettings

Say = Callable[[str], None]

_LIMIT_S = 5.0
_MAX_TASKS, _MAX_FAILED, _MAX_COMMANDS = 1_000, 100, 200
_MAX_BYTES = 4 << 20


class Bundle:
    """The files of a bundle. Everything passes the redaction on its way in."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self.files: dict[str, str] = {}
        self.missing: dict[str, str] = {}
        """What could not be read, with the reason."""

    def add(self, name: str, document: Any) -> None:
        """Add a document as JSON, or a text."""
        if isinstance(document, str):
            self.files[name] = self._redaction.text(document)
        else:
            safe = self._redaction.document(document)
            self.files[name] = json.dumps(safe, indent=2, ensure_ascii=False) + "\n"

    async def ask(self, name: str, question: Awaitable[Any]) -> None:
        """Add the answer of a call; record a failure instead."""
        try:
            self.add(name, await question)
        except CommandFailed as failed:
            self.missing[name] = self._redaction.text(failed.message)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            self.missing[name] = self._redaction.text(str(error) or type(error).__name__)

    def write(self, path: Path, folder: str, now: float) -> None:
        """Write the archive, readable by this user only. Raises CommandFailed."""
        self.add("missing.json", self.missing)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandFailed(
                f"{path} cannot be written: {error.strerror}", "name another file with --out"
            ) from error
        with os.fdopen(descriptor, "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz") as archive:
            for name, text in sorted(self.files.items()):
                content = text.encode()
                entry = tarfile.TarInfo(f"{folder}/{name}")
                entry.size, entry.mtime, entry.mode = len(content), int(now), 0o600
                archive.addfile(entry, io.BytesIO(content))


async def fill(
    bundle: Bundle,
    settings: PoolctlSettings,
    variables: Mapping[str, str],
    folder: Path,
    *,
    now: float,
    version: str,
    log_lines: int,
    say: Say,
) -> None:
    """Fill a bundle. Changes nothing in the pool; records what cannot be read."""
    bundle.add(
        "versions.json",
        {"poolctl": version, "python": platform.python_version(), "system": platform.platform()},
    )
    bundle.add("settings.json", dict(sorted(variables.items())))
    say("diagnosis")
    facts = await collect(settings, variables, folder, now=now, version=version, say=lambda _: None)
    bundle.add("doctor.json", [each.document() for each in diagnose(facts)])
    bundle.add("services.json", [asdict(each) for each in facts.services])
    say("health and metrics")
    await asyncio.gather(*(_of_service(bundle, name, url) for name, url in settings.services.items()))
    say("pool, tasks and transactions")
    async with Services(settings) as services:
        core, adapter = Core(services), Adapter(services)
        await asyncio.gather(
            bundle.ask("pool.json", core.status()),
            bundle.ask("workers.json", _workers(core)),
            bundle.ask("tasks-live.json", _explained(core, LIVE, _MAX_TASKS)),
            bundle.ask("tasks-failed.json", _explained(core, ("FAILED",), _MAX_FAILED)),
            bundle.ask("wallet.json", adapter.wallet()),
            bundle.ask("transactions.json", adapter.commands(limit=_MAX_COMMANDS)),
            bundle.ask("orders.json", offers(services)),
        )
    say("logs")
    await _logs(bundle, settings, folder, log_lines)


async def _of_service(bundle: Bundle, name: str, url: str) -> None:
    for part, path in (
        ("health", "/actuator/health"),
        ("metrics", "/metrics"),
        ("prometheus", "/actuator/prometheus"),
    ):
        await bundle.ask(f"{part}/{name}.txt", _read(url + path))


async def _read(url: str) -> str:
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_LIMIT_S)) as session,
        session.get(url, ssl=identity().client_context(), allow_redirects=False) as answer,
    ):
        return (await answer.content.read(_MAX_BYTES)).decode(errors="replace")


async def _workers(core: Core) -> list[dict[str, Any]]:
    workers = await core.workers()
    return [each | {"explanation": asdict(explain_worker(each))} for each in workers]


async def _explained(core: Core, statuses: tuple[str, ...], limit: int) -> list[dict[str, Any]]:
    found = await core.tasks(statuses=statuses, limit=limit)
    return [each | {"explanation": asdict(explain_task(each))} for each in found]


async def _logs(bundle: Bundle, settings: PoolctlSettings, folder: Path, lines: int) -> None:
    try:
        source = logs_of(folder, settings.service_logs)
    except CommandFailed as failed:
        bundle.missing["logs"] = failed.message
        return
    names = source.names() if isinstance(source, FileLogs) else list(settings.services)
    for name in names:
        await bundle.ask(f"logs/{name}.log", _joined(source.last(name, lines)))


async def _joined(lines: Awaitable[list[str]]) -> str:
    return "\n".join(await lines) + "\n"
