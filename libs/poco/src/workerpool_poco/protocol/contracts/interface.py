"""Contract interfaces, declared in Solidity's own notation (human-readable ABI)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workerpool_poco.errors import EmptyAnswer, MalformedAnswer
from workerpool_poco.protocol.encoding.abi_codec import AbiError, decode, encode, split_types
from workerpool_poco.protocol.encoding.keccak import keccak


@dataclass(frozen=True)
class Parameter:
    """One argument: ABI type (structs expanded to tuples), name, and whether an event indexes it."""

    type: str
    name: str = ""
    indexed: bool = False


@dataclass(frozen=True)
class Function:
    """A contract function, which encodes its calldata and decodes its answer."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...] = ()

    @cached_property
    def selector(self) -> bytes:
        """The first four bytes of the calldata."""
        return keccak(f"{self.name}({','.join(self.inputs)})".encode())[:4]

    def encode(self, *arguments: Any) -> bytes:
        """Return the calldata."""
        return self.selector + encode(self.inputs, arguments)

    def decode(self, answer: bytes) -> tuple[Any, ...]:
        """Return the values of an `eth_call` answer; raises `EmptyAnswer` or `MalformedAnswer`."""
        if self.outputs and not answer:
            raise EmptyAnswer(f"{self.name} returned no data: the node knows no such contract at the address")
        try:
            return decode(self.outputs, answer)
        except AbiError as cause:
            raise MalformedAnswer(f"{self.name} returned {len(answer)} bytes that do not decode") from cause


@dataclass(frozen=True)
class Event:
    """A contract event, which knows its first topic and decodes its logs."""

    name: str
    parameters: tuple[Parameter, ...]

    @cached_property
    def topic(self) -> bytes:
        """The first topic of the event's logs (32 bytes)."""
        return keccak(f"{self.name}({','.join(item.type for item in self.parameters)})".encode())

    def decode(self, topics: Sequence[bytes], data: bytes) -> tuple[Any, ...]:
        """Return the event's values in the order of its parameters; raises `MalformedAnswer`."""
        indexed = [item.type for item in self.parameters if item.indexed]
        plain = [item.type for item in self.parameters if not item.indexed]
        if len(topics) <= len(indexed):
            raise MalformedAnswer(f"a log of {self.name} has {len(topics)} topics, not {len(indexed) + 1}")
        try:
            words = iter(decode(indexed, b"".join(topics[1:])))
            values = iter(decode(plain, data))
            return tuple(next(words if item.indexed else values) for item in self.parameters)
        except AbiError as cause:
            raise MalformedAnswer(f"a log of {self.name} does not decode") from cause


_START = re.compile(r"^\s*(?=(?:function|event) )", re.MULTILINE)
_ENTRY = re.compile(r"^(function|event) (\w+)\( ?(.*?) ?\)(?: returns \((.*)\))?$")


class Contract:
    """The functions and events of one contract, by name: `HUB["viewDeal"]`, `HUB.events[...]`."""

    def __init__(self, text: str, structs: Mapping[str, str] | None = None) -> None:
        """Parse entries that each begin a line; `structs` maps the name of a struct to its tuple of types."""
        self.functions: dict[str, Function] = {}
        self.events: dict[str, Event] = {}
        for entry in _START.split(text)[1:]:
            match = _ENTRY.match(" ".join(entry.split()))
            if match is None:
                raise ValueError(f"not a function or event: {entry}")
            kind, name, inputs, outputs = match.groups()
            if kind == "event":
                self.events[name] = Event(name, tuple(_parameter(item) for item in split_types(inputs)))
            else:
                self.functions[name] = Function(
                    name, _types(inputs, structs or {}), _types(outputs or "", structs or {})
                )

    def __getitem__(self, name: str) -> Function:
        return self.functions[name]

    def encode(self, name: str, *arguments: Any) -> bytes:
        """Return the calldata of a call of the named function."""
        return self.functions[name].encode(*arguments)


def _parameter(text: str) -> Parameter:
    words = text.split()
    return Parameter(words[0], words[-1] if len(words) > 1 else "", "indexed" in words)


def _types(text: str, structs: Mapping[str, str]) -> tuple[str, ...]:
    kinds = (item.split()[0] for item in split_types(text))
    return tuple(structs.get(kind, kind) for kind in kinds)
