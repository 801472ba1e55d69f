"""One kind of deal and the outcomes that are right for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import ZERO_ADDRESS, ZERO_BYTES32, Address

PRICE = 10**6
"""nRLC per task of a priced deal; pool and workers lock 30 % of it as stake."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The addresses of one run that deals refer to."""

    image: str
    """Name of the local image with every script of the catalogue."""
    files: str
    """Base URL of the honest file server, which the workers are allowed to reach."""
    traps: str
    """Base URL of the hostile file server, equally allowed."""
    closed_port: int
    """A port of the loopback interface on which nothing listens."""
    pool_ports: tuple[int, ...]
    """Ports of every service of the pool."""
    callback: Address
    """Address of a contract without the callback's method."""


@dataclass(frozen=True)
class Outcome:
    """The outcomes that are right for one kind of deal."""

    statuses: frozenset[str]
    """Allowed final statuses of each task."""
    causes: frozenset[str] = frozenset()
    """Allowed causes of an error result, or of a failure that must be explained."""
    success: bool = False
    """Whether COMPLETED without a cause is right."""
    waits: bool = False
    """Whether the task must state why it waits until it ends."""
    seconds: float = 0.0
    """Time that the deal takes by itself, such as its time limit, in seconds."""
    consensus: Callable[[], bytes] | None = None
    """Returns the right result digest; None when any digest is right."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One kind of deal."""

    name: str
    """Name in reports, and the id of a case where the entry stands for one."""
    right: Outcome
    script: str = ""
    """Shell script of the app; it runs in the image of the run."""
    computed: str = ""
    """Content of `computed.json`, written before the script runs; empty for none."""
    image: str = ""
    """Name of another image; `{image}` in it stands for the image of the run, `{closed}` for a closed port."""
    dockerfile: str = ""
    """Lines added to the image of the run, which make an image of its own."""
    params: Callable[[Ground], DealParams | str] | None = None
    """Makes the params; None: the script is run without input files."""
    dataset: Callable[[Ground], tuple[str, bytes]] | None = None
    """Makes the URI and the checksum of a dataset."""
    callback: bool = False
    category: str = "XS"
    trust: int = 1
    volume: int = 1
    tag: bytes = ZERO_BYTES32
    price: int = PRICE
    weight: float = 1.0
    """How often the generator draws the entry: above 1 more often than the others."""
    honest: bool = False

    def deal_params(self, ground: Ground) -> DealParams | str:
        """Return the params of the deal."""
        return self.params(ground) if self.params is not None else DealParams(args=self.name)

    def callback_address(self, ground: Ground) -> Address:
        """Return the address of the callback contract, or zero."""
        return ground.callback if self.callback else ZERO_ADDRESS


def succeeds(*, seconds: float = 0.0, consensus: Callable[[], bytes] | None = None) -> Outcome:
    """Return the outcome of a deal that completes with the result of its app."""
    return Outcome(frozenset({"COMPLETED"}), success=True, seconds=seconds, consensus=consensus)


def error_result(*causes: str, seconds: float = 0.0) -> Outcome:
    """Return the outcome of a deal that completes with an error result of one of these causes."""
    return Outcome(frozenset({"COMPLETED"}), frozenset(causes), seconds=seconds)


def ends(*causes: str, seconds: float = 0.0) -> Outcome:
    """Return the outcome of a deal that completes, with its result or with an error result of these causes."""
    return Outcome(frozenset({"COMPLETED"}), frozenset(causes), success=True, seconds=seconds)


def never_served(*, seconds: float) -> Outcome:
    """Return the outcome of a free deal that no worker can serve: it says so, and fails at its deadline."""
    return Outcome(frozenset({"FAILED"}), waits=True, seconds=seconds)


def refused(*causes: str) -> Outcome:
    """Return the outcome of a free deal that the pool refuses at once, and says why."""
    return Outcome(frozenset({"FAILED"}), frozenset(causes))


def to_file(name: str = "r") -> str:
    """Return a `computed.json` that names a file of the output folder."""
    return f'{{"deterministic-output-path":"/iexec_out/{name}"}}'
