"""Open what an app wrote to a worker that is not root: a container of no rights but these changes the modes."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from docker import errors
from docker.types import Mount
from workerpool_kit.logs import get_logger

from workerpool_worker.adapters.docker.connection import CALL_LIMIT_S, reason_of
from workerpool_worker.adapters.docker.sandboxes import ensure_empty_image, host_program
from workerpool_worker.errors import HostStorageUnavailable

log = get_logger()

_INSIDE = "/opened"
_ARGUMENTS = ("-R", "a+rwX,-t", _INSIDE)
"""The sticky bit would keep the worker from removing the files. Links below the folder are not followed."""
_RIGHTS = ("DAC_OVERRIDE", "FOWNER")
_MEMORY_BYTES, _PIDS = 64 << 20, 16


def open_folder(api: Any, folder: Path, image: str, labels: Mapping[str, str]) -> None:
    """Let every user read and remove what is below a folder of the engine's host. Blocks.

    The container sees this folder, and apart from it nothing that can be written. The worker's own folder above it is
    closed to other users of the host.

    Args:
        api: the SDK's client.
        folder: absolute path.
        image: image with `chmod`; empty for that of the engine's host.
        labels: labels of the container.

    Raises `HostStorageUnavailable` if the engine refuses.
    """
    try:
        _change_modes(api, folder, image, labels)
    except errors.APIError as refusal:
        raise HostStorageUnavailable(
            f"the worker's user may not read what the app wrote to {folder}, and the engine cannot open it: "
            f"{reason_of(refusal)}; run the worker as root, or set WORKERPOOL_WORKER_NETWORK_PROBE_IMAGE to an image "
            "with chmod, such as busybox"
        ) from refusal


def _change_modes(api: Any, folder: Path, image: str, labels: Mapping[str, str]) -> None:
    program, binds = ("chmod", list[str]()) if image else host_program("chmod")
    container = api.create_container(
        image or ensure_empty_image(api),
        entrypoint=[program, *_ARGUMENTS],
        user="0:0",
        labels=dict(labels),
        host_config=api.create_host_config(
            network_mode="none",
            binds=binds,
            mounts=[Mount(_INSIDE, str(folder), type="bind")],
            read_only=True,
            mem_limit=_MEMORY_BYTES,
            memswap_limit=_MEMORY_BYTES,
            pids_limit=_PIDS,
            cap_drop=["ALL"],
            cap_add=list(_RIGHTS),
            security_opt=["no-new-privileges"],
        ),
    )["Id"]
    try:
        api.start(container)
        code = api.wait(container, timeout=CALL_LIMIT_S)["StatusCode"]
        if code:
            # Where the engine maps users, it may not touch the folder itself, which the worker made, but what is in it.
            log.warning(
                "folder.partly_opened", folder=str(folder), output=api.logs(container).decode()[-500:]
            )
    finally:
        with suppress(errors.NotFound):
            api.remove_container(container, force=True, v=True)
    log.info("folder.opened", folder=str(folder))
