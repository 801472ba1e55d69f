"""Checks of this host: settings, wallet file, folder, disk, and the container engine."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from workerpool_kit.settings.environment import ignored
from workerpool_kit.settings.secrets import exposed_files
from workerpool_poco.chain.wallet import Wallet, WalletError, WrongWalletPassword
from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.encoding.json_text import loads_bounded
from workerpool_poco.protocol.ids import Address, address

from workerpool_worker.adapters.docker.checks.shared_folder import new_file, sees_file
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.files.disk_usage import free_space
from workerpool_worker.adapters.gpu_discovery import nvidia_gpus
from workerpool_worker.adapters.host_memory import available_memory
from workerpool_worker.adapters.http_downloads.reach import Reach, servers_of
from workerpool_worker.container_host import ISOLATED
from workerpool_worker.domain.containers.disk import DiskLimits
from workerpool_worker.domain.containers.engine_host import runtime_problem
from workerpool_worker.domain.containers.gpus import gpu_problem
from workerpool_worker.domain.diagnosis.findings import Code, Finding, ok, problem, skipped, warning
from workerpool_worker.domain.diagnosis.judgements import (
    disk_finding,
    internet_finding,
    memory_finding,
    place_finding,
)
from workerpool_worker.errors import EngineFailure
from workerpool_worker.settings import WorkerSettings

_ENGINE_LIMIT_S, _INTERNET_LIMIT_S = 15.0, 6.0
_BASE_DIR = "IEXEC_WORKER_BASE_DIR"


def settings_findings(settings: WorkerSettings) -> list[Finding]:
    """Name the variables without effect and the secrets that other users can read."""
    found = [
        warning("settings", Code.SETTING_IGNORED, f"{name} has no effect: {reason}", f"Remove {name}.")
        for name, reason in ignored(WorkerSettings).items()
    ]
    found += [
        warning(
            "settings",
            Code.SECRET_EXPOSED,
            f"other users of this host can read {file.path} ({file.variable}, mode {file.mode})",
            f"Run: chmod 600 {file.path}",
        )
        for file in exposed_files(settings)
    ]
    return found or [ok("settings", "complete")]


def stored_address(path: Path) -> Address | None:
    """Return the address that a key store file names, without its password; None when it names none."""
    try:
        content = loads_bounded(path.read_text(encoding="utf-8"))
        text = str(content["address"])
        return address(text if text.startswith("0x") else f"0x{text}")
    except (OSError, ValueError, KeyError, TypeError, InvalidId):
        return None


async def wallet_finding(settings: WorkerSettings) -> tuple[Finding, Address | None]:
    """Open the wallet. Return its address also when only its password is wrong."""
    path, password = settings.wallet_path, settings.wallet_password.get_secret_value()
    try:
        wallet = await asyncio.to_thread(Wallet.from_keystore, path, password)
    except WrongWalletPassword:
        remedy = (
            "Correct IEXEC_WORKER_WALLET_PASSWORD, or the file that IEXEC_WORKER_WALLET_PASSWORD_FILE names."
        )
        message = f"the password does not open the wallet {path}"
        return problem("wallet", Code.WRONG_PASSWORD, message, remedy), stored_address(path)
    except WalletError as unusable:
        remedy = "Correct IEXEC_WORKER_WALLET_PATH, or make a wallet with: poolworker wallet create"
        return problem("wallet", Code.WALLET_UNUSABLE, str(unusable), remedy), None
    return ok("wallet", wallet.address), wallet.address


def host_memory_finding(settings: WorkerSettings) -> Finding:
    """Check the memory of this host."""
    return memory_finding(available_memory(), settings.memory_floor_bytes)


def limits_of(settings: WorkerSettings) -> DiskLimits:
    """Return the limits of the disk."""
    return DiskLimits(settings.app_disk_bytes, settings.disk_floor_bytes)


def folder_findings(settings: WorkerSettings) -> list[Finding]:
    """Check the base folder and its disk."""
    base = settings.base_dir.absolute()
    place = place_finding(base, chosen="base_dir" in settings.model_fields_set)
    found = [place] if place is not None else []
    try:
        with marker_in(base) as marker:
            found += [
                ok("base folder", f"{base} can be written"),
                disk_finding("disk", marker.parent, free_space(marker.parent), limits_of(settings)),
            ]
    except OSError as refusal:
        found.append(
            problem(
                "base folder",
                Code.BASE_FOLDER_UNUSABLE,
                f"{base} cannot be written: {refusal.strerror}",
                f"Give this user a folder that it may write, and name it in {_BASE_DIR}.",
            )
        )
    return found


async def reach_finding(settings: WorkerSettings) -> Finding:
    """Check that a registry or an IPFS gateway answers."""
    reach = Reach(servers_of(settings.download_reference_urls, settings.ipfs_gateways, settings.registries))
    try:
        async with asyncio.timeout(_INTERNET_LIMIT_S):
            return internet_finding(await reach.any_answers())
    except TimeoutError:
        return internet_finding(False)


def marker_in(base: Path) -> AbstractContextManager[Path]:
    """Return a new file in a folder, or in the nearest folder above it that exists. Raises OSError."""
    return new_file(_nearest(base))


def _nearest(folder: Path) -> Path:
    """Return a folder, or the nearest one above it that exists. Raises OSError."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


@asynccontextmanager
async def docker_connection() -> AsyncIterator[DockerConnection]:
    """Yield a connection to the engine that the worker would use."""
    connection = DockerConnection(pool_size=2, base_url=None)
    try:
        yield connection
    finally:
        connection.close()


async def engine_findings(settings: WorkerSettings) -> list[Finding]:
    """Check the container engine, its disk, its view of the base folder, and the network of apps."""
    async with docker_connection() as connection:
        try:
            async with asyncio.timeout(_ENGINE_LIMIT_S):
                info = await connection.call(lambda api: api.info())
                found = [ok("engine", f"{info['Name']}: Docker {info['ServerVersion']}")]
                found += _engine_disk(settings, connection, info)
                found.append(await _shared_folder(settings, connection))
        except TimeoutError:
            return [_no_engine(f"it does not answer within {_ENGINE_LIMIT_S:.0f} s")]
        except EngineFailure as failure:
            return [_no_engine(failure.message)]
        except (KeyError, TypeError) as malformed:
            return [_no_engine(f"it does not answer as a Docker engine does ({malformed!r})")]
        found += _runtime(settings, info)
        return [*found, _network(settings, connection), *await _gpus(settings)]


def _no_engine(message: str) -> Finding:
    remedy = "Start Docker, give this user access to its socket, or correct DOCKER_HOST."
    return problem("engine", Code.NO_ENGINE, message, remedy)


def _engine_disk(settings: WorkerSettings, connection: DockerConnection, info: Any) -> list[Finding]:
    """Check the disk of images and layers, if it is visible here and not the base folder's."""
    root = Path(info["DockerRootDir"])
    base = settings.base_dir.absolute()
    try:
        if not connection.is_local or _nearest(base).stat().st_dev == root.stat().st_dev:
            return []
        return [disk_finding("engine's disk", root, free_space(root), limits_of(settings))]
    except OSError:
        # A worker in a container does not see it.
        return []


def _runtime(settings: WorkerSettings, info: Any) -> list[Finding]:
    """Check that the engine has the configured runtime."""
    if not (wanted := settings.container_runtime):
        return []
    if defect := runtime_problem(wanted, frozenset(info.get("Runtimes") or ())):
        remedy = (
            "Install it and name it in the engine's daemon.json, or set IEXEC_WORKER_CONTAINER_RUNTIME to one that the "
            "engine has."
        )
        return [problem("runtime", Code.NO_RUNTIME, defect, remedy)]
    return [ok("runtime", f"apps run with {wanted}")]


async def _gpus(settings: WorkerSettings) -> list[Finding]:
    """Check that the configured GPUs exist. Only the first app shows whether the engine can pass them on."""
    if not settings.gpu_enabled:
        return []
    gpus = settings.gpu_ids or await nvidia_gpus()
    if defect := gpu_problem(gpus, settings.gpus_per_task):
        return [
            warning(
                "GPUs",
                Code.NO_GPU,
                f"{defect}, so the worker accepts no task that requires a GPU",
                "Install NVIDIA's driver and container toolkit, set WORKERPOOL_WORKER_GPU_IDS where nvidia-smi is "
                "missing (a worker in a container), or set IEXEC_WORKER_GPU_ENABLED to false.",
            )
        ]
    return [ok("GPUs", f"apps get {', '.join(gpus)}")]


async def _shared_folder(settings: WorkerSettings, connection: DockerConnection) -> Finding:
    base = settings.base_dir.absolute()
    try:
        with marker_in(base) as marker:
            if await sees_file(connection, marker):
                return ok("shared folder", f"the engine sees {base}")
    except OSError:
        return skipped("shared folder", "a base folder that can be written")
    return problem(
        "shared folder",
        Code.BASE_FOLDER_UNSEEN,
        f"the engine does not see the files of {base}, so apps would find no input and leave no result",
        f"Mount the folder into the worker's container under the same path as on the host (-v {base}:{base}), and run "
        "the engine on this host.",
    )


def _network(settings: WorkerSettings, connection: DockerConnection) -> Finding:
    """Check the isolation of apps. The start of the worker proves it."""
    if settings.app_network != ISOLATED:
        return ok("app network", f"apps use the network {settings.app_network}, as the settings say")
    if settings.network_probe_image:
        return ok("app network", "a probe proves the isolation at the start")
    if os.geteuid() == 0 and connection.is_local and shutil.which("nft", path=_with_system_folders()):
        return ok("app network", "the worker can set the firewall rules")
    return problem(
        "app network",
        Code.NETWORK_UNSAFE,
        "this process cannot set the firewall rules that keep apps away from the host and its networks",
        "Run the worker as root on the engine's host with nftables installed, or read docs/isolation.md for "
        "WORKERPOOL_WORKER_NETWORK_PROBE_IMAGE and WORKERPOOL_WORKER_APP_NETWORK.",
    )


def _with_system_folders() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
