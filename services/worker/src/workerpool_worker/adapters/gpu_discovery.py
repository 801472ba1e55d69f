"""Find the GPUs of this host with NVIDIA's program `nvidia-smi`, which comes with the driver."""

import asyncio
import shutil

from workerpool_worker.domain.containers.gpus import parse_gpus

_LIMIT_S = 20


async def nvidia_gpus() -> tuple[str, ...]:
    """Return the UUIDs of the GPUs of this host; empty without driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            "-L",
            # The worker's own environment may hold passwords.
            env={"LC_ALL": "C"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return ()
    try:
        async with asyncio.timeout(_LIMIT_S):
            listing, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return ()
    return parse_gpus(listing.decode(errors="replace"))
