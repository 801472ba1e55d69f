"""Firewall rules of the network of apps in the kernel's nftables, set with the `nft` program."""

import asyncio
import os
import shutil
from contextlib import suppress
from pathlib import Path

from workerpool_worker.domain.containers.app_network import AppNetworkRules
from workerpool_worker.errors import FirewallUnavailable

_SYSTEM_FOLDERS = "/usr/sbin:/sbin"
_BRIDGED_TO_IP = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
_LIMIT_S = 20


class Nftables:
    """The rules of one network of apps, in the network namespace of this process."""

    def __init__(self, rules: AppNetworkRules) -> None:
        self._rules = rules
        self._families: tuple[str, ...] = ()
        self._listing = ""

    async def apply(self) -> None:
        """Set the rules, whatever is set now. Raises `FirewallUnavailable` with the reason."""
        try:
            await _nft("-f", "-", script=self._rules.ruleset())
            self._families = ("inet", "bridge")
        except FirewallUnavailable as refusal:
            if not _bridged_frames_reach_ip_rules():
                raise
            # Some kernels have no rules for frames of a bridge, but pass the packets in them to the other rules.
            try:
                await _nft("-f", "-", script=self._rules.ruleset(bridge_frames=False))
            except FirewallUnavailable:
                raise refusal from None
            self._families = ("inet",)
        self._listing = await self._list()

    async def holds(self) -> bool:
        """Return whether the kernel still has the rules as `apply` set them."""
        if "bridge" not in self._families and not _bridged_frames_reach_ip_rules():
            return False
        try:
            return bool(self._listing) and await self._list() == self._listing
        except FirewallUnavailable:
            return False

    async def remove(self) -> None:
        """Remove the rules if they are there."""
        await remove_tables(self._rules.table)

    async def _list(self) -> str:
        return "".join(
            [await _nft("-s", "list", "table", family, self._rules.table) for family in self._families]
        )


async def remove_tables(table: str) -> None:
    """Remove the tables of a name in every family. Does nothing if they are not there or nft is missing."""
    for family in ("inet", "bridge"):
        with suppress(FirewallUnavailable):
            await _nft("delete", "table", family, table)


def _bridged_frames_reach_ip_rules() -> bool:
    try:
        return _BRIDGED_TO_IP.read_text().strip() == "1"
    except OSError:
        return False


async def _nft(*arguments: str, script: str = "") -> str:
    program = shutil.which("nft", path=f"{os.environ.get('PATH', '')}:{_SYSTEM_FOLDERS}")
    if program is None:
        raise FirewallUnavailable("the program nft is missing (Debian package nftables)")
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            # The worker's own environment may hold passwords.
            env={"LC_ALL": "C"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as problem:
        raise FirewallUnavailable(f"{program} cannot be started: {problem.strerror}") from problem
    try:
        async with asyncio.timeout(_LIMIT_S):
            stdout, stderr = await process.communicate(script.encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        raise FirewallUnavailable(f"{program} did not end within {_LIMIT_S} s") from None
    if process.returncode:
        lines = stderr.decode(errors="replace").strip().splitlines()
        raise FirewallUnavailable(f"nft refuses: {lines[0] if lines else process.returncode}")
    return stdout.decode()
