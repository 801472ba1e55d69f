"""Facts about one service: ports, health, version, clock and certificate."""

import json
import time
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from workerpool_kit.grpc.service_channel import GRPC_ADDRESS, target_told
from workerpool_kit.tls.identity import identity

from poolctl.adapters.checks.certificates import certificate_of_port
from poolctl.adapters.reachability import probe_port
from poolctl.adapters.services import documented_target
from poolctl.domain.diagnosis.facts import Port, Service

_LIMIT_S = 5.0
_MAX_BYTES = 1 << 20


async def collect_service_facts(name: str, url: str, *, grpc_target: str = "") -> Service:
    """Return what a service shows at its documented URL; `grpc_target` replaces the gRPC address that it reports."""
    http = await probe_port(url)
    if not http.is_open:
        return Service(name, url, Port(http.address, http.problem))
    certificate = await certificate_of_port(url)
    health: dict[str, Any] | None = None
    version, told, problem, offset = "", "", "", None
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_LIMIT_S)) as session:
            asked_at = time.time()
            status, headers, body = await _get(session, f"{url}/version")
            offset = _offset(headers, (asked_at + time.time()) / 2)
            told = headers.get(GRPC_ADDRESS, "").strip()
            version = body.strip()[:64] if status == 200 else ""
            status, _, body = await _get(session, f"{url}/actuator/health")
            health = _health(body)
            if health is None:
                problem = f"GET /actuator/health is answered with HTTP {status}"
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        problem = str(error) or type(error).__name__
    target = grpc_target or (target_told(url, told) if told else None) or documented_target(url)
    grpc = await probe_port(target) if target else None
    return Service(
        name,
        url,
        Port(http.address),
        grpc=None if grpc is None else Port(grpc.address, grpc.problem),
        health=health,
        version=version,
        clock_offset_s=offset,
        # A refused certificate is a separate finding.
        problem="" if certificate is not None and certificate.problem else problem,
        certificate=certificate,
    )


async def _get(session: aiohttp.ClientSession, url: str) -> tuple[int, Any, str]:
    async with session.get(url, ssl=identity().client_context(), allow_redirects=False) as answer:
        content = await answer.content.read(_MAX_BYTES)
        return answer.status, answer.headers, content.decode(errors="replace")


def _health(body: str) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and "components" in found else None


def _offset(headers: Any, half_way: float) -> float | None:
    """Return how far this host's clock is ahead of the answer's date, which has whole seconds."""
    try:
        told = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    # The date is cut to whole seconds.
    return half_way - told - 0.5
