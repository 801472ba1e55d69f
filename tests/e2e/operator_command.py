"""The real poolctl in the folder of a devnet's pool."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from patience import PATIENCE_S
from workerpool_devnet.devnet import Devnet

POOLCTL = Path(sys.executable).with_name("poolctl")
OPERATOR, PASSWORD = "operator", "a password of the operator"
PUBLISHER_PASSWORD = "a password of the publisher"
_OPERATOR_OF_CORE = {"IEXEC_CORE_OPERATOR_USERNAME": OPERATOR, "IEXEC_CORE_OPERATOR_PASSWORD": PASSWORD}
WITH_OPERATOR = {
    "core": _OPERATOR_OF_CORE,
    "order_publisher": _OPERATOR_OF_CORE
    | {
        "ORDER_PUBLISHER_OPERATOR_USERNAME": OPERATOR,
        "ORDER_PUBLISHER_OPERATOR_PASSWORD": PUBLISHER_PASSWORD,
    },
}
"""Service → environment of a devnet whose core and order publisher have an operator."""


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The answer of a command with `-o json`."""
        assert self.code in (0, 1), self.err
        return json.loads(self.out)


class Poolctl:
    """Runs poolctl in the folder of a pool."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def start(self, *arguments: str, **variables: str) -> asyncio.subprocess.Process:
        """Start a command with nothing of this process's environment but its PATH."""
        return await asyncio.create_subprocess_exec(
            # A shell's background commands ignore the signal, and so would a command that they start. A function that
            # Python runs after the fork could reset it, but would fork a process whose gRPC has threads.
            *("/usr/bin/env", "--default-signal=INT"),
            POOLCTL,
            "--pool-dir",
            str(self.folder),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.environ["PATH"], **variables},
            cwd=self.folder,
        )

    async def __call__(self, *arguments: str, **variables: str) -> Done:
        """Run a command to its end."""
        process = await self.start(*arguments, **variables)
        async with asyncio.timeout(PATIENCE_S):
            out, err = await process.communicate()
        done = Done(process.returncode or 0, out.decode(), err.decode())
        assert "Traceback" not in done.err, done.err
        return done

    async def json(self, *arguments: str, **variables: str) -> Any:
        """Return the answer of a command."""
        return (await self(*arguments, "-o", "json", **variables)).document


def write_env(folder: Path, net: Devnet) -> None:
    """Write the `.env` of a devnet, with passwords in files as init writes them."""
    core, publisher = net.services["core"].spec.environment, net.services.get("order_publisher")
    (folder / "operator").write_text(PASSWORD + "\n")
    (folder / "publisher").write_text(PUBLISHER_PASSWORD + "\n")
    lines = {
        "IEXEC_CORE_URL": net.services["core"].http,
        "IEXEC_CORE_CHAIN_ADAPTER_URL": net.services["chain_adapter"].http,
        "IEXEC_CORE_CHAIN_ADAPTER_USERNAME": core["IEXEC_CORE_CHAIN_ADAPTER_USERNAME"],
        "PROD_CHAIN_ADAPTER_PASSWORD_FILE": core["IEXEC_CORE_CHAIN_ADAPTER_PASSWORD_FILE"],
        "IEXEC_CONFIG_SERVER_URL": net.services["registry"].http,
        "IEXEC_RESULT_REPOSITORY_URL": net.services["result_proxy"].http,
        "IEXEC_CORE_OPERATOR_USERNAME": OPERATOR,
        "IEXEC_CORE_OPERATOR_PASSWORD_FILE": "operator",
        "ORDER_PUBLISHER_OPERATOR_USERNAME": OPERATOR,
        "ORDER_PUBLISHER_OPERATOR_PASSWORD_FILE": "publisher",
        "PROD_POOL_ADDRESS": net.workerpool,
        "POOLCTL_SERVICE_LOGS": str(net.logs),
    }
    if publisher is not None:
        lines["ORDER_PUBLISHER_URL"] = publisher.http
        lines["MARKET_API_URL"] = net.services["market"].http
    for name in ("operator", "publisher"):
        (folder / name).chmod(0o600)
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
