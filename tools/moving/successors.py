"""What takes the place of a variable that no service knows by its name: settings of services, or a reason."""

from typing import NamedTuple


class Successor(NamedTuple):
    """Settings that take a variable's place, as pairs of service and variable, and what is different."""

    settings: tuple[tuple[str, str], ...]
    remark: str = ""


_CORE_WALLET = tuple(
    (service, f"{prefix}_WALLET_PATH")
    for service, prefix in (
        ("core", "IEXEC_CORE"),
        ("chain_adapter", "IEXEC_BLOCKCHAIN_ADAPTER_API"),
        ("order_publisher", "ORDER_PUBLISHER"),
    )
)
_CORE_WALLET_PASSWORD = tuple((service, name.replace("_PATH", "_PASSWORD")) for service, name in _CORE_WALLET)
_POOL = (("core", "POOL_ADDRESS"), ("worker", "POOL_ADDRESS"), ("order_publisher", "POOL_ADDRESS"))
_NODE = (("core", "IEXEC_BLOCKCHAIN_NODE_ADDRESS"), ("chain_adapter", "IEXEC_BLOCKCHAIN_NODE_ADDRESS"))
_HUB = (
    ("registry", "IEXEC_HUB_ADDRESS"),
    ("chain_adapter", "IEXEC_HUB_ADDRESS"),
    ("result_proxy", "IEXEC_HUB_ADDRESS"),
)
_DATABASE = "user and password are part of the URI; each service has a database of its own"

SUCCESSORS: dict[str, Successor] = {
    "IEXEC_IS_SIDECHAIN": Successor(
        (("registry", "IEXEC_IS_SIDECHAIN"), ("chain_adapter", "IEXEC_IS_SIDECHAIN")),
        "core reads it from the config server",
    ),
    "CHAIN": Successor(
        (("order_publisher", "IEXEC_CONFIG_SERVER_URL"), ("order_publisher", "MARKET_API_URL")),
        "the config server describes the chain; the market is named by its URL",
    ),
    "DBHOST": Successor((("core", "MONGO_HOST"),), "MongoDB instead of MySQL"),
    "DBNAME": Successor((("core", "MONGO_DATABASE"),)),
    "MYSQL_DB_NAME": Successor((("core", "MONGO_DATABASE"),)),
    "DBUSER": Successor((("core", "MONGO_URI"),), _DATABASE),
    "DBPASS": Successor((("core", "MONGO_URI"),), _DATABASE),
    "MYSQL_USER_LOGIN": Successor((("core", "MONGO_URI"),), _DATABASE),
    "MYSQL_USER_PASSWORD": Successor((("core", "MONGO_URI"),), _DATABASE),
    "SCHEDULERWALLETPATH": Successor(_CORE_WALLET, "one key store for the three"),
    "WALLETPATH": Successor(_CORE_WALLET, "one key store for the three"),
    "SCHEDULERWALLETPASSWORD": Successor(_CORE_WALLET_PASSWORD),
    "WALLETPASSWORD": Successor(_CORE_WALLET_PASSWORD),
    "ADMINLOGIN": Successor((("core", "IEXEC_CORE_OPERATOR_USERNAME"),)),
    "ADMINPASSWORD": Successor((("core", "IEXEC_CORE_OPERATOR_PASSWORD"),)),
    "WORKERLOGIN": Successor(
        (("core", "IEXEC_WORKERS_WHITELIST"), ("worker", "IEXEC_WORKER_WALLET_PATH")),
        "a worker logs in by a signature of its wallet",
    ),
    "WORKERPASSWORD": Successor(
        (("worker", "IEXEC_WORKER_WALLET_PASSWORD"),), "that of the worker's own wallet"
    ),
    "LOGGERLEVEL": Successor((("core", "WORKERPOOL_LOG_LEVEL"), ("worker", "WORKERPOOL_LOG_LEVEL"))),
    "MAXFILESIZE": Successor(
        (("result_proxy", "IEXEC_RESULT_PROXY_MAX_SIZE"), ("worker", "WORKERPOOL_WORKER_DOWNLOAD_MAX_BYTES")),
        "in bytes; results and input files apart",
    ),
    "ETHNODE": Successor(_NODE),
    "IEXECHUBCONTRACT": Successor(_HUB),
    "WORKERPOOLADDRESS": Successor(_POOL),
    "CERTIFICATE_AND_PRIVATE_KEYS_REPO": Successor(
        (("core", "WORKERPOOL_TLS_CERTIFICATE"), ("core", "WORKERPOOL_TLS_KEY")),
        "each service may have its own; or a reverse proxy ends TLS (addresses.md)",
    ),
    "SCHEDULER_PERSISTING_FOLDER": Successor(
        (("result_proxy", "IEXEC_IPFS_URL"), ("result_proxy", "MONGO_URI")),
        "results are in IPFS or in MongoDB",
    ),
}
"""By the name of the older variable."""

_GRAFANA_DATABASE = "Grafana reads Prometheus (monitoring.md)"
_LOGO = "Grafana shows no logo of others without a licence"
REASONS: dict[str, str] = {
    "MYSQL_ADMIN_PASSWORD": "no service administers the database; its administrator's password stays with the operator",
    "MYSQLDATA_FOLDER": "the database keeps its files where its own configuration says: with compose, in a volume",
    "DATABASE_FOLDER": "each service creates its indexes at its start; there is no script to run",
    "SCHEDULER_DOCKER_IMAGE_VERSION": "the tag of an image is chosen where containers are started, such as in compose",
    "GRAFANA_DOCKER_IMAGE_VERSION": "the tag of an image is chosen where containers are started, such as in compose",
    "ADMINUID": "an operator has no number",
    "WORKERUID": "a worker is identified by the address of its wallet",
    "JWTETHISSUER": "tokens name the service that issues them",
    "JWTETHSECRET": "core makes its keys itself, keeps them in its database, and replaces them after 30 days",
    "DELEGATEDREGISTRATION": "no user registers: every wallet of the chain may buy, unless the order of the "
    "pool is restricted (ORDER_PUBLISHER_REQUESTER_RESTRICT)",
    "BLOCKCHAINETHENABLED": "a pool always works with a chain",
    "RLCCONTRACT": "the hub holds the accounts; services ask it",
    "GRAFANA_SQL_LOGIN": _GRAFANA_DATABASE,
    "GRAFANA_SQL_PASSWORD": _GRAFANA_DATABASE,
    "GRAFANA_ADMIN_PASSWORD": "a variable of Grafana itself: GF_SECURITY_ADMIN_PASSWORD",
    "GRAFANA_HOST": "a variable of Grafana itself: GF_SERVER_ROOT_URL",
    "GRAFANA_HOME_NAME": "the dashboards show the pool by its address",
    "GRAFANA_HOME_LOGO_PATH": _LOGO,
    "GRAFANA_HOME_LOGO_WIDTH": _LOGO,
    "GRAFANA_HOME_LOGO_HEIGHT": _LOGO,
}
"""Why a variable has no successor."""

NOTES: dict[tuple[str, str], str] = {
    (
        "core",
        "REVEAL_TIMEOUT_PERIOD",
    ): "now the time between two comparisons of live tasks with the chain; reveal "
    "deadlines act by themselves",
    ("core", "IEXEC_CORE_MANAGEMENT_ACTUATORS"): "add `prometheus` for the dashboards",
    (
        "core",
        "IEXEC_CHAIN_HEALTH_POLLING_INTERVAL_IN_BLOCKS",
    ): "heads are pushed; it only scales the threshold",
    ("core", "IEXEC_GAS_PRICE_CAP"): "core sends nothing: it tells the coins that a worker needs for gas",
    (
        "chain_adapter",
        "IEXEC_BLOCKCHAIN_ADAPTER_API_MAX_ALLOWED_TX_PER_BLOCK",
    ): "the default is 64 in flight, not 1",
}
"""What is different although the name is the same, by service and variable."""
