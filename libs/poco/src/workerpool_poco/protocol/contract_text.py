"""Reads contract functions and events written the way a person writes them in Solidity."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eth_abi import abi as eth_abi
from eth_abi.codec import ABICodec
from eth_abi.decoding import StringDecoder
from eth_abi.registry import BaseEquals
from eth_abi.registry import registry as standard_types
from eth_utils.crypto import keccak

from workerpool_poco.errors import EmptyAnswer, MalformedAnswer


class _AnyText(StringDecoder):
    """Contracts take any bytes as text: what is not UTF-8 reads as replacement characters, like everywhere else."""

    def __init__(self) -> None:
        super().__init__("replace")  # type: ignore[no-untyped-call]


def _tolerant() -> ABICodec:
    types: Any = standard_types
    types = types.copy()
    types.unregister_decoder("string")
    types.register_decoder(BaseEquals("string", with_sub=False), _AnyText)  # type: ignore[no-untyped-call]
    return ABICodec(types)


_CODEC = _tolerant()


@dataclass(frozen=True)
class Parameter:
    """One argument: ABI type (structs expanded to tuples), name, and whether an event indexes it."""

    type: str
    name: str = ""
    indexed: bool = False


@dataclass(frozen=True)
class Function:
    """A contract function: encodes its calldata and decodes its answer."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...] = ()

    @cached_property
    def selector(self) -> bytes:
        """The four bytes that open the calldata."""
        return keccak(text=f"{self.name}({','.join(self.inputs)})")[:4]

    def encode(self, *arguments: Any) -> bytes:
        """Return the calldata."""
        return self.selector + eth_abi.encode(self.inputs, arguments)

    def decode(self, answer: bytes) -> tuple[Any, ...]:
        """Return the values of an ``eth_call`` answer; raises :class:`MalformedAnswer`."""
        if self.outputs and not answer:
            raise EmptyAnswer(f"{self.name} answered nothing: the node knows no such contract at the address")
        try:
            return tuple(_CODEC.decode(self.outputs, answer))
        except Exception as cause:
            raise MalformedAnswer(f"{self.name} answered {len(answer)} bytes that do not decode") from cause


@dataclass(frozen=True)
class Event:
    """A contract event: knows its first topic and decodes its logs."""

    name: str
    parameters: tuple[Parameter, ...]

    @cached_property
    def topic(self) -> bytes:
        """The first topic of the event's logs (32 bytes)."""
        return keccak(text=f"{self.name}({','.join(item.type for item in self.parameters)})")

    def decode(self, topics: Sequence[bytes], data: bytes) -> tuple[Any, ...]:
        """Return the event's values in the order of its parameters; raises :class:`MalformedAnswer`."""
        plain = [item.type for item in self.parameters if not item.indexed]
        try:
            values = iter(_CODEC.decode(plain, data))
            indexed = iter(topics[1:])
            return tuple(
                _CODEC.decode([item.type], next(indexed))[0] if item.indexed else next(values)
                for item in self.parameters
            )
        except Exception as cause:
            raise MalformedAnswer(f"a log of {self.name} does not decode") from cause


_START = re.compile(r"^\s*(?=(?:function|event) )", re.MULTILINE)
_ENTRY = re.compile(r"^(function|event) (\w+)\( ?(.*?) ?\)(?: returns \((.*)\))?$")


def split_types(text: str) -> list[str]:
    """Split at the commas outside brackets: ``"uint256,(address,bytes)[]"`` has two parts."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    last = text[start:].strip()
    return [*parts, last] if last else parts


class Contract:
    """The functions and events of one contract, by name: ``HUB["viewDeal"]``, ``HUB.events[...]``."""

    def __init__(self, text: str, structs: Mapping[str, str] | None = None) -> None:
        """Read entries that each begin a line; ``structs`` maps a struct's name to its tuple of types."""
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
