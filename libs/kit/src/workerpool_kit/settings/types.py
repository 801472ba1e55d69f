"""Types for values that arrive as text in environment variables."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from workerpool_kit.targets import channel_address

_ISO_DURATION = re.compile(
    r"P(?:(?P<d>\d+(?:\.\d+)?)D)?(?:T(?:(?P<h>\d+(?:\.\d+)?)H)?(?:(?P<m>\d+(?:\.\d+)?)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?",
    re.IGNORECASE,
)
_LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost", "ip6-loopback"})
_UNIT_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True)
class TypeName:
    """How the generated settings table calls a type."""

    text: str


def checksum_address(value: str) -> str:
    """Return the EIP-55 spelling of an address of 0x and 40 hexadecimal digits."""
    # Imported on use; eth_utils would cost every process 0.1 s of CPU.
    from Crypto.Hash import keccak

    digits = value[2:].lower()
    marks = keccak.new(data=digits.encode(), digest_bits=256).hexdigest()
    return "0x" + "".join(
        digit.upper() if mark > "7" else digit for digit, mark in zip(digits, marks, strict=False)
    )


def _checksummed(value: str) -> str:
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", value):
        raise ValueError("expected an Ethereum address: 0x and 40 hexadecimal digits")
    checksummed = checksum_address(value)
    digits = value[2:]
    # Mixed case carries a checksum; a wrong one indicates a typing mistake.
    if value != checksummed and digits not in (digits.lower(), digits.upper()):
        raise ValueError("the address has a wrong EIP-55 checksum (a typing mistake?)")
    return checksummed


def _url(*schemes: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            parts = urlsplit(value)
            # Reading the port is what makes urllib check it.
            valid = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid:
            # The value is not repeated: node URLs often carry an access key.
            raise ValueError(f"expected a URL such as {schemes[0]}://host:port")
        return value.rstrip("/")

    return check


def parse_duration(value: object) -> float:
    """Return seconds for an ISO-8601 duration (`PT5S`, `P1DT2H`) or for a plain number of seconds.

    Years and months are refused, since they have no fixed length. Raises ValueError.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    text = str(value).strip()
    match = _ISO_DURATION.fullmatch(text)
    if match and any(match.groupdict().values()):
        return sum(
            float(number) * _UNIT_SECONDS[unit] for unit, number in match.groupdict().items() if number
        )
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    raise ValueError("expected an ISO-8601 duration such as PT5S, or a number of seconds")


def iso_duration(seconds: float) -> str:
    """Spell a duration under a minute as java.time.Duration does: 5.0 is `PT5S`, 0.1 is `PT0.1S`."""
    return f"PT{seconds:.3f}".rstrip("0").rstrip(".") + "S"


def _ip_address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value.strip("[]")))
    except ValueError:
        raise ValueError(
            "expected an IP address of this host, such as 127.0.0.1, ::1, 0.0.0.0 or ::"
        ) from None


def _grpc_target(value: str) -> str:
    channel_address(value)
    return value


def is_loopback(host: str) -> bool:
    """Return whether a host name or IP address means this machine only."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.rstrip(".").lower() in _LOOPBACK_NAMES
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback


BindAddress = Annotated[str, AfterValidator(_ip_address), TypeName("IP address")]
"""The address of this host that a server listens on: 127.0.0.1 for this host only, :: for every interface."""

GrpcTarget = Annotated[str, AfterValidator(_grpc_target), TypeName("gRPC target")]
"""`host:port`, or `https://host[:port]` for TLS."""

Port = Annotated[int, Field(ge=0, le=65_535), TypeName("port")]
"""A TCP port; 0 means any free port, and the chosen one is logged."""

EthAddress = Annotated[str, AfterValidator(_checksummed), TypeName("address")]
"""An Ethereum address, always in EIP-55 checksum spelling after loading."""

Url = Annotated[str, AfterValidator(_url("http", "https")), TypeName("URL")]
"""An http(s) URL without a trailing slash."""

DurationSeconds = Annotated[
    float, BeforeValidator(parse_duration), Field(ge=0, allow_inf_nan=False), TypeName("duration")
]
"""Seconds as a float; written as ISO-8601 (`PT5S`) or as a number of seconds."""
