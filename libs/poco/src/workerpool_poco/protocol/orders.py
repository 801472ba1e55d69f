"""The four orders of the market: EIP-712 hash, signature, calldata and JSON form.

`matchOrders(app, dataset, workerpool, request)` makes a deal. Prices are in nRLC per task. A restriction to the zero
address restricts nothing.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from workerpool_poco.protocol.encoding.eip712 import Eip712Domain, fields_of
from workerpool_poco.protocol.encoding.typed_data import HashSigner
from workerpool_poco.protocol.ids import (
    ZERO_ADDRESS,
    ZERO_BYTES32,
    Address,
    address,
    bytes32,
    from_hex,
    to_hex,
)


def order_domain(chain_id: int, hub: Address) -> Eip712Domain:
    """Return the signing domain of a hub: `iExecODB` version `5.0.0`."""
    return Eip712Domain("iExecODB", "5.0.0", chain_id, address(hub))


def new_salt() -> bytes:
    """Return 32 random bytes, which distinguish orders that are equal otherwise."""
    return secrets.token_bytes(32)


@dataclass(frozen=True, kw_only=True)
class _Order:
    """The base of the four orders; their fields are those of the contract's struct, in its order."""

    TYPE: ClassVar[str]
    sign: bytes = b""
    """The owner's signature; empty in an unsigned order."""

    def _values(self) -> list[Any]:
        return [getattr(self, name) for _, name in fields_of(self.TYPE)]

    def hash(self, domain: Eip712Domain) -> bytes:
        """Return the EIP-712 hash of the order (32 bytes); the signature is not part of it."""
        return domain.digest(self.TYPE, self._values())

    def signed(self, wallet: HashSigner, domain: Eip712Domain) -> Self:
        """Return the order with the wallet's 65-byte signature in `sign`."""
        return replace(self, sign=wallet.sign_hash(self.hash(domain)))

    def calldata(self) -> tuple[Any, ...]:
        """Return the values of the contract's struct, signature last."""
        return (*self._values(), self.sign)

    def to_json(self) -> dict[str, Any]:
        """Return the order as the market and the SDK exchange it, with bytes in hexadecimal."""
        values = {name: getattr(self, name) for _, name in fields_of(self.TYPE)} | {"sign": self.sign}
        return {name: to_hex(value) if isinstance(value, bytes) else value for name, value in values.items()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read an order from the market's JSON; numbers may be texts. Raises KeyError or ValueError.

        The JSON is that of others: a number where bytes belong, or an infinite one, is refused like any other mistake.
        """
        values: dict[str, Any] = {"sign": from_hex(_text("sign", content.get("sign", "0x")))}
        for kind, name in fields_of(cls.TYPE):
            value = content[name]
            match kind:
                case "uint256":
                    values[name] = _uint256(name, value)
                case "bytes32":
                    values[name] = bytes32(_text(name, value))
                case "address":
                    values[name] = address(_text(name, value))
                case _:
                    values[name] = _text(name, value)
        return cls(**values)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text")
    return value


def _uint256(name: str, value: object) -> int:
    number = int(value, 0) if isinstance(value, str) else value
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 1 << 256:
        raise ValueError(f"{name} must be a number from 0 to 2^256 - 1")
    return number


@dataclass(frozen=True, kw_only=True)
class AppOrder(_Order):
    """The application owner's offer."""

    TYPE: ClassVar[str] = (
        "AppOrder(address app,uint256 appprice,uint256 volume,bytes32 tag,address datasetrestrict,"
        "address workerpoolrestrict,address requesterrestrict,bytes32 salt)"
    )
    app: Address
    appprice: int = 0
    volume: int = 1
    tag: bytes = ZERO_BYTES32
    datasetrestrict: Address = ZERO_ADDRESS
    workerpoolrestrict: Address = ZERO_ADDRESS
    requesterrestrict: Address = ZERO_ADDRESS
    salt: bytes = field(default_factory=new_salt)


@dataclass(frozen=True, kw_only=True)
class DatasetOrder(_Order):
    """The dataset owner's offer."""

    TYPE: ClassVar[str] = (
        "DatasetOrder(address dataset,uint256 datasetprice,uint256 volume,bytes32 tag,address apprestrict,"
        "address workerpoolrestrict,address requesterrestrict,bytes32 salt)"
    )
    dataset: Address
    datasetprice: int = 0
    volume: int = 1
    tag: bytes = ZERO_BYTES32
    apprestrict: Address = ZERO_ADDRESS
    workerpoolrestrict: Address = ZERO_ADDRESS
    requesterrestrict: Address = ZERO_ADDRESS
    salt: bytes = field(default_factory=new_salt)


NO_DATASET = DatasetOrder(dataset=ZERO_ADDRESS, volume=0, salt=ZERO_BYTES32)
"""The dataset order of a match without dataset: all zeros, no signature."""


@dataclass(frozen=True, kw_only=True)
class WorkerpoolOrder(_Order):
    """The workerpool owner's offer."""

    TYPE: ClassVar[str] = (
        "WorkerpoolOrder(address workerpool,uint256 workerpoolprice,uint256 volume,bytes32 tag,"
        "uint256 category,uint256 trust,address apprestrict,address datasetrestrict,"
        "address requesterrestrict,bytes32 salt)"
    )
    workerpool: Address
    workerpoolprice: int = 0
    volume: int = 1
    tag: bytes = ZERO_BYTES32
    category: int = 0
    trust: int = 0
    apprestrict: Address = ZERO_ADDRESS
    datasetrestrict: Address = ZERO_ADDRESS
    requesterrestrict: Address = ZERO_ADDRESS
    salt: bytes = field(default_factory=new_salt)


@dataclass(frozen=True, kw_only=True)
class RequestOrder(_Order):
    """The requester's demand; `volume` tasks, `params` as in `deal_params`."""

    TYPE: ClassVar[str] = (
        "RequestOrder(address app,uint256 appmaxprice,address dataset,uint256 datasetmaxprice,"
        "address workerpool,uint256 workerpoolmaxprice,address requester,uint256 volume,bytes32 tag,"
        "uint256 category,uint256 trust,address beneficiary,address callback,string params,bytes32 salt)"
    )
    app: Address
    appmaxprice: int = 0
    dataset: Address = ZERO_ADDRESS
    datasetmaxprice: int = 0
    workerpool: Address = ZERO_ADDRESS
    workerpoolmaxprice: int = 0
    requester: Address
    volume: int = 1
    tag: bytes = ZERO_BYTES32
    category: int = 0
    trust: int = 0
    beneficiary: Address = ZERO_ADDRESS
    callback: Address = ZERO_ADDRESS
    params: str = ""
    salt: bytes = field(default_factory=new_salt)
