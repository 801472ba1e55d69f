"""Settings of the order publisher, with the variable names of the iExec order publisher where one exists."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from workerpool_kit.settings.base import Settings, env, secret
from workerpool_kit.settings.node import NodeSettings
from workerpool_kit.settings.types import DurationSeconds, EthAddress, GrpcTarget, Port, TypeName, Url

from workerpool_order_publisher.domain.limits import Cancel

ANY = "0x" + "00" * 20
"""The address that means no restriction."""
LIVE_VARIABLES = (
    "WORKERPOOL_PRICE",
    "WORKERPOOL_PRICE_MIN",
    "WORKERPOOL_PRICE_MAX",
    "MAX_ORDER_NUMBER",
    "ORDER_PUBLISHER_PAUSED",
    "ORDER_PUBLISHER_REQUESTER_RESTRICT",
    "ORDER_PUBLISHER_APP_RESTRICT",
    "ORDER_PUBLISHER_DATASET_RESTRICT",
)
"""Variables that ORDER_PUBLISHER_LIVE_FILE may set and change while the publisher runs."""
_MAX_NRLC = 87_000_000 * 10**9


def _tag(value: object) -> str:
    text = str(value).strip()
    try:
        number = int(text, 16)
    except ValueError:
        number = -1
    if not text.startswith("0x") or not 0 <= number < 2**256:
        raise ValueError("expected a tag of up to 32 bytes in hexadecimal, such as 0x100 for a GPU")
    return f"0x{number:064x}"


Tag = Annotated[str, BeforeValidator(_tag), TypeName("tag")]
"""The tag of an order: lower-case 0x and 64 digits after loading; leading zeros may be left out."""
NanoRlc = Annotated[int, Field(ge=0, le=_MAX_NRLC)]
CategoryId = Annotated[int, Field(ge=0, le=1_000_000)]


class OrderPublisherSettings(Settings, NodeSettings):
    """Settings of the order publisher."""

    own_prefixes: ClassVar[tuple[str, ...]] = ("ORDER_PUBLISHER_",)
    ignored_variables: ClassVar[Mapping[str, str]] = {
        "IEXEC_CHAIN_ID": "the config server describes the chain; set it on the registry",
        "IEXEC_HUB_ADDRESS": "the config server describes the chain; set it on the registry",
    }

    http_port: Port = env("ORDER_PUBLISHER_PORT", 13400, doc="HTTP port")
    grpc_port: Port | None = env(
        "WORKERPOOL_GRPC_PORT", None, doc="gRPC port; unset means the HTTP port + 10000"
    )
    username: str = env(
        "ORDER_PUBLISHER_OPERATOR_USERNAME",
        "",
        doc="User name for GetOffers; unset disables GetOffers",
    )
    password: SecretStr | None = secret(
        "ORDER_PUBLISHER_OPERATOR_PASSWORD", None, doc="Password for GetOffers"
    )

    # --- wallet, pool, chain
    wallet_path: Path = env(
        "ORDER_PUBLISHER_WALLET_PATH",
        doc="Keystore (JSON, version 3) of the pool owner's wallet, which signs the orders",
        secret_file=True,
    )
    wallet_password: SecretStr = secret("ORDER_PUBLISHER_WALLET_PASSWORD", doc="Password of that keystore")
    pool_address: EthAddress = env(
        "POOL_ADDRESS", doc="Address of the workerpool on chain", aliases=("WORKERPOOL",)
    )
    config_server_url: Url = env(
        "IEXEC_CONFIG_SERVER_URL", "http://localhost:8888", doc="URL of the config server"
    )
    node_url: Url | None = env(
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS",
        None,
        doc="JSON-RPC address of the blockchain node; unset means the node from the config server",
    )
    journal: Path = env(
        "ORDER_PUBLISHER_JOURNAL",
        Path("./data/orders.sqlite"),
        doc="File with the signed orders. Each order is written before it is sent to the market, so that it is never "
        "published twice; keep the file on a volume",
    )

    # --- the other services
    market_url: Url = env("MARKET_API_URL", doc="URL of the market API, without a path")
    core_url: Url = env(
        "IEXEC_CORE_URL", "http://localhost:13000", doc="URL of core, which streams the free slots"
    )
    core_grpc: GrpcTarget | None = env(
        "ORDER_PUBLISHER_CORE_GRPC_TARGET",
        None,
        doc="gRPC address of core, host:port or https://host:port; unset means the one in its URL, or the one that "
        "its HTTP port announces",
    )
    core_username: str = env(
        "IEXEC_CORE_OPERATOR_USERNAME", doc="User name of core's operator, which the stream requires"
    )
    core_password: SecretStr = secret(
        "IEXEC_CORE_OPERATOR_PASSWORD", doc="Password of core's operator, which the stream requires"
    )
    chain_adapter_url: Url = env(
        "ORDER_PUBLISHER_CHAIN_ADAPTER_URL",
        "http://localhost:13010",
        doc="URL of the chain adapter, which sends the transactions that cancel orders",
    )
    chain_adapter_grpc: GrpcTarget | None = env(
        "ORDER_PUBLISHER_CHAIN_ADAPTER_GRPC_TARGET",
        None,
        doc="gRPC address of the chain adapter, host:port or https://host:port; unset means the one in its URL, or "
        "the one that its HTTP port announces",
    )
    chain_adapter_username: str = env(
        "ORDER_PUBLISHER_CHAIN_ADAPTER_USERNAME", "admin", doc="User name for the chain adapter"
    )
    chain_adapter_password: SecretStr | None = secret(
        "ORDER_PUBLISHER_CHAIN_ADAPTER_PASSWORD",
        None,
        doc="Password for the chain adapter; without it no order is cancelled on chain",
    )
    platform_registry_url: Url = env(
        "IEXEC_PLATFORM_REGISTRY",
        "http://localhost:8888",
        doc="URL of the platform registry, which lists the SMS of each TEE framework; used when TAG requires one",
    )
    platform_registry_stack: str = env(
        "IEXEC_PLATFORM_REGISTRY_STACK", "", doc="Stack to use in the platform registry"
    )
    platform_registry_label: str = env(
        "IEXEC_PLATFORM_REGISTRY_LABEL", "", doc="Label (version) of the files in the platform registry"
    )

    # --- what is sold
    price: NanoRlc | None = env(
        "WORKERPOOL_PRICE", None, doc="Price of a task in nRLC; unset means the range below, or 0 without one"
    )
    min_price: NanoRlc | None = env(
        "WORKERPOOL_PRICE_MIN", None, doc="Lowest price of a range; each order gets a random price in it"
    )
    max_price: NanoRlc | None = env("WORKERPOOL_PRICE_MAX", None, doc="Highest price of that range")
    categories: tuple[CategoryId, ...] = env(
        "CATEGORY",
        (0,),
        doc="Categories on offer, the preferred one first; they share the slots",
    )
    tag: Tag = env("TAG", "0x0", doc="Tag of the orders: 0x100 for a GPU, 0x3, 0x5 or 0x9 for an enclave")
    trust: Annotated[int, Field(ge=0, le=1_000_000)] = env(
        "TRUST", 1, doc="Highest trust that a buyer may require; a higher trust takes more workers per task"
    )
    volume: Annotated[int, Field(gt=0, le=1_000_000)] = env("VOLUME", 1, doc="Maximum of tasks of one order")
    gpu_pool: bool = env("IS_GPU_POOL", False, doc="Whether only slots with a GPU are offered")
    max_volume: Annotated[int, Field(ge=0)] | None = env(
        "MAX_ORDER_NUMBER",
        None,
        doc="Maximum of tasks on offer in each category; unset means as many as the free slots allow",
    )
    max_orders: Annotated[int, Field(gt=0)] = env(
        "ORDER_PUBLISHER_MAX_OPEN_ORDERS", 50, doc="Maximum of open orders; the market allows 50 per wallet"
    )
    requester_restrict: EthAddress = env(
        "ORDER_PUBLISHER_REQUESTER_RESTRICT", ANY, doc="Only requester that may buy; unset admits all"
    )
    app_restrict: EthAddress = env(
        "ORDER_PUBLISHER_APP_RESTRICT", ANY, doc="Only app that may be run; unset admits all"
    )
    dataset_restrict: EthAddress = env(
        "ORDER_PUBLISHER_DATASET_RESTRICT", ANY, doc="Only dataset that may be used; unset admits all"
    )

    # --- when
    publish_period_s: DurationSeconds = env(
        "PUBLISH_PERIOD", "PT3S", doc="Time between two publications; 0 for none"
    )
    check_period_s: Annotated[DurationSeconds, Field(gt=0)] = env(
        "CHECK_SLEEP_TIME",
        "PT15S",
        doc="Longest time between two comparisons with the market and the chain; core streams each change of the free "
        "slots",
    )
    core_grace_s: DurationSeconds = env(
        "ORDER_PUBLISHER_CORE_GRACE",
        "PT1M",
        doc="Time without core after which every order is withdrawn",
    )
    paused: bool = env(
        "ORDER_PUBLISHER_PAUSED",
        False,
        doc="true withdraws every order and publishes none until it is false again",
    )
    live_file: Path | None = env(
        "ORDER_PUBLISHER_LIVE_FILE",
        None,
        doc="File with NAME=value lines, read at the start and on SIGHUP. It replaces the variables of price, "
        "MAX_ORDER_NUMBER, ORDER_PUBLISHER_PAUSED and ORDER_PUBLISHER_*_RESTRICT: orders of other terms are withdrawn "
        "immediately. An invalid file changes nothing, and the log shows why",
    )
    cancel: Cancel | None = env(
        "ORDER_PUBLISHER_CANCEL_ON_CHAIN",
        None,
        doc="Which withdrawn orders are also cancelled on chain; a copy of their signature can be matched until "
        "then (each costs gas of the pool owner's wallet): never, terms (after a change of price or other terms, a "
        "pause, or a stop that withdraws) or always (also those that the pool cannot serve at the moment). Unset means "
        "always where gas is free and the password of the chain adapter is set, otherwise never",
    )
    withdraw_on_stop: bool = env(
        "ORDER_PUBLISHER_WITHDRAW_ON_STOP",
        False,
        doc="Whether a stop withdraws every order; otherwise they stay on the market over a restart",
    )

    @field_validator("categories")
    @classmethod
    def _some_category(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError("expected at least one category, and each only once")
        return value

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        low, high = self.min_price, self.max_price
        if (low is None) != (high is None):
            raise ValueError("WORKERPOOL_PRICE_MIN: set it together with WORKERPOOL_PRICE_MAX")
        if low is not None and high is not None:
            if self.price is not None:
                raise ValueError(
                    "WORKERPOOL_PRICE: set either it or WORKERPOOL_PRICE_MIN and WORKERPOOL_PRICE_MAX, not both"
                )
            if low > high:
                raise ValueError("WORKERPOOL_PRICE_MIN: it is above WORKERPOOL_PRICE_MAX")
        if bool(self.username) != (self.password is not None):
            raise ValueError(
                "ORDER_PUBLISHER_OPERATOR_USERNAME: set it together with ORDER_PUBLISHER_OPERATOR_PASSWORD"
            )
        return self

    @model_validator(mode="after")
    def _no_cleartext(self) -> Self:
        self.check_cleartext(
            "IEXEC_CORE_OPERATOR_PASSWORD", self.core_grpc or self.core_url, "the password of core's operator"
        )
        self.check_cleartext("MARKET_API_URL", self.market_url, "the pool owner's login at the market")
        if self.chain_adapter_password is not None:
            self.check_cleartext(
                "ORDER_PUBLISHER_CHAIN_ADAPTER_PASSWORD",
                self.chain_adapter_grpc or self.chain_adapter_url,
                "the password for the chain adapter",
            )
        elif self.cancel is not None and self.cancel is not Cancel.NEVER:
            raise ValueError(
                f"ORDER_PUBLISHER_CANCEL_ON_CHAIN: {self.cancel} needs ORDER_PUBLISHER_CHAIN_ADAPTER_PASSWORD too"
            )
        return self

    @property
    def prices(self) -> tuple[int, int]:
        """The lowest and the highest price in nRLC."""
        if self.min_price is not None and self.max_price is not None:
            return self.min_price, self.max_price
        return self.price or 0, self.price or 0
