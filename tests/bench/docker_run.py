"""`docker run` of an app with the options of a worker's container, as an operator would type it."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def seconds_of(found: Mapping[str, Any], given: Path, taken: Path) -> float:
    """Run an app like the container that the engine described, and return the seconds until the command has ended.

    The app reads from the folder `given` and writes to `taken`. Call it in a thread of the processors to use.
    """
    command = _command(found, given, taken)
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def _command(found: Mapping[str, Any], given: Path, taken: Path) -> list[str]:
    docker = shutil.which("docker")
    if docker is None:
        raise SystemExit("bench: no docker command; install it (Debian: apt-get install docker.io)")
    config, host = found["Config"], found["HostConfig"]
    options = {
        "--network": host["NetworkMode"],
        "--memory": host["Memory"],
        "--memory-swap": host["MemorySwap"],
        "--shm-size": host["ShmSize"],
        "--cpus": host["NanoCpus"] / 1e9,
        "--cpuset-cpus": host["CpusetCpus"],
        "--pids-limit": host["PidsLimit"],
        "--oom-score-adj": host["OomScoreAdj"],
        "--ipc": host["IpcMode"],
        "--log-driver": host["LogConfig"]["Type"],
    }
    flags = [f"{name}={value}" for name, value in options.items() if value]
    flags += [f"--log-opt={name}={value}" for name, value in host["LogConfig"]["Config"].items()]
    flags += [f"--ulimit={each['Name']}={each['Soft']}:{each['Hard']}" for each in host["Ulimits"] or ()]
    flags += [f"--cap-drop={each}" for each in host["CapDrop"] or ()]
    flags += [f"--security-opt={each}" for each in host["SecurityOpt"] or ()]
    flags += [f"--env={line}" for line in config["Env"]]
    flags += [f"--volume={given}:/iexec_in:ro", f"--volume={taken}:/iexec_out:rw"]
    return [docker, "run", "--rm", *flags, config["Image"], *(config["Cmd"] or ())]
