"""Compiled contracts as published on npm: bytecode, library links and function selectors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workerpool_devnet import packages

if TYPE_CHECKING:
    from web3 import Web3
    from web3.contract import Contract
    from web3.contract.contract import ContractConstructor

_RECEIVE_SELECTOR = bytes(4)
_FALLBACK_SELECTOR = b"\xff" * 4


@dataclass(frozen=True)
class Artifact:
    """A compiled contract; `links` maps a library's name to the byte offsets of its address."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: str
    links: dict[str, list[int]]
    runtime: str = ""
    """The code of the deployed contract in hexadecimal, where the record has it."""

    def linked(self, libraries: dict[str, str]) -> bytes:
        """Return the creation code with the libraries' addresses filled in."""
        code = self.bytecode.removeprefix("0x")
        for library, offsets in self.links.items():
            address = libraries[library].removeprefix("0x").lower()
            for offset in offsets:
                code = code[: 2 * offset] + address + code[2 * offset + 40 :]
        return bytes.fromhex(code)

    def at(self, web3: Web3, address: str) -> Contract:
        """Return the contract at an address."""
        return web3.eth.contract(address=web3.to_checksum_address(address), abi=self.abi)

    def creation(self, web3: Web3, *arguments: object, libraries: dict[str, str]) -> ContractConstructor:
        """Return the creation of the contract with these constructor arguments and library addresses."""
        # Of the interface, only the constructor: web3.py refuses libraries whose overloads take enums.
        constructor = [entry for entry in self.abi if entry["type"] == "constructor"]
        return web3.eth.contract(abi=constructor, bytecode=self.linked(libraries)).constructor(*arguments)

    def selectors(self) -> list[bytes]:
        """Return the 4-byte selectors that a PoCo diamond routes to this contract.

        PoCo's Diamond looks up `receive` and `fallback` under two pseudo selectors.
        """
        from eth_utils.abi import function_abi_to_4byte_selector  # half a second, part of web3.py

        found = []
        for entry in self.abi:
            if entry["type"] == "function":
                found.append(function_abi_to_4byte_selector(entry))  # type: ignore[arg-type]
            elif entry["type"] == "receive":
                found.append(_RECEIVE_SELECTOR)
            elif entry["type"] == "fallback":
                found.append(_FALLBACK_SELECTOR)
        return found


@cache
def poco(name: str) -> Artifact:
    """Return a contract of PoCo itself, from the hardhat artifacts of the package."""
    contracts = packages.poco_package() / "artifacts" / "contracts"
    (path,) = (p for p in contracts.rglob(f"{name}.json") if "testing" not in p.parts)
    record = json.loads(path.read_text())
    links = {
        library: [reference["start"] for reference in references]
        for by_library in record["linkReferences"].values()
        for library, references in by_library.items()
    }
    return Artifact(name, record["abi"], record["bytecode"], links)


@cache
def dependency(name: str) -> Artifact:
    """Return a third-party contract that PoCo uses; only the deployment records hold its bytecode."""
    record = json.loads((packages.poco_package() / "deployments" / "arbitrum" / f"{name}.json").read_text())
    return Artifact(name, record.get("abi") or [], record["bytecode"], {})


@cache
def rlc() -> Artifact:
    """Return the RLC token: an ERC-20 with 9 decimals and `approveAndCall`."""
    record: dict[str, Any] = json.loads(Path(packages.rlc_artifact()).read_text())
    return Artifact("RLC", record["abi"], dependency("RLC").bytecode, {})


@cache
def ens(name: str) -> Artifact:
    """Return a contract of the Ethereum Name Service: `ENSRegistry` or `OwnedResolver`."""
    record: dict[str, Any] = json.loads(packages.ens_artifact(name).read_text())
    return Artifact(name, record["abi"], record["bytecode"], {}, record["deployedBytecode"])
