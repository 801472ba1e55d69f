"""What `poolctl doctor` reads before it concludes anything. Times are Unix seconds, amounts wei or nRLC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a service: its address, and why it takes no connection; empty when it does."""

    address: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, of a port or of a file: when it expires, or why it could not be read or is not trusted."""

    source: str
    expires: float | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """What one service shows."""

    name: str
    url: str
    http: Port
    grpc: Port | None = None
    """None for a URL without a gRPC port of its own."""
    health: Mapping[str, Any] | None = None
    """The document of `/actuator/health`; None without an answer."""
    version: str = ""
    clock_offset_s: float | None = None
    """Seconds by which this host's clock is ahead of the service's; None when it reports no time."""
    problem: str = ""
    """Why its HTTP port does not answer as a service of this pool does, though it is open."""
    certificate: Certificate | None = None
    """Of an https URL."""
    refused: str = ""
    """What it says about the credentials of poolctl; empty when it takes them."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain as its node shows it."""

    node_url: str
    """Without a key."""
    problem: str = ""
    wrong_chain: bool = False
    chain_id: int = 0
    free_gas: bool = False
    block_time_s: float = 0.0
    head: int = 0
    head_time: float = 0.0
    pool_exists: bool = True
    owner: str = ""
    """Owner of the pool on chain; empty when it is unknown."""
    stake_ratio: int = 30
    """Percent of a task's price that the pool's owner locks."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """The pool owner's wallet."""

    address: str
    balance_wei: int = 0
    transactions_left: int | None = None
    """None when gas is free."""
    parked_reason: str = ""
    stake_nrlc: int | None = None
    """Free stake in the hub; None when it could not be read."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The pool as core shows it."""

    address: str
    latest_block: int
    cursor_block: int
    alive_workers: int


@dataclass(frozen=True, slots=True)
class Offered:
    """What the pool sells: the price of a task in nRLC, and the tasks on offer."""

    price: int
    open_volume: int


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of this host."""

    path: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was read. What could not be read is None or empty."""

    now: float
    own_version: str = ""
    configured_pool: str = ""
    """POOL_ADDRESS of poolctl; empty when it is not set."""
    services: tuple[Service, ...] = ()
    chain: Chain | None = None
    wallet: Wallet | None = None
    pool: Pool | None = None
    offered: Offered | None = None
    volumes: tuple[Volume, ...] = ()
    weak_passwords: tuple[str, ...] = ()
    """Variables whose passwords are well-known or shorter than eight characters."""
    exposed_files: Mapping[str, str] = field(default_factory=dict)
    """Files with secrets that other users can read, with their modes."""
    certificates: tuple[Certificate, ...] = ()
    """Of files that the settings name."""
