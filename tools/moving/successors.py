"""The successor of each older variable: settings of services, a variable of compose's `.env`, or a reason.

`docs/older-variables.md` and `make pool-check` show them. It imports the standard library only: pool-check runs
before anything is installed.
"""

from typing import NamedTuple


class Older(NamedTuple):
    """The successor of a variable, in the environment of a process and in compose's `.env`."""

    settings: tuple[tuple[str, str], ...] = ()
    """Settings that replace it, as pairs of service and variable."""
    remark: str = ""
    """How they differ."""
    reason: str = ""
    """Why no setting replaces it."""
    env: str = ""
    """The variable of `.env` that replaces it."""
    env_reason: str = ""
    """Why none of `.env` does, where the reason for the settings does not say it; empty too if it is the same there."""


_CORE_WALLET = tuple(
    (service, f"{prefix}_WALLET_PATH")
    for service, prefix in (
        ("core", "IEXEC_CORE"),
        ("chain_adapter", "IEXEC_BLOCKCHAIN_ADAPTER_API"),
        ("order_publisher", "ORDER_PUBLISHER"),
    )
)
_WALLET_PATH = Older(_CORE_WALLET, "one key store for the three", env="PROD_CORE_WALLET")
_WALLET_PASSWORD = Older(
    tuple((service, name.replace("_PATH", "_PASSWORD")) for service, name in _CORE_WALLET),
    env="PROD_CORE_WALLET_PASSWORD",
)
_MONGO = "the database is MongoDB, and mongo-init makes its users"
_DATABASE_NAME = Older((("core", "MONGO_DATABASE"),), env_reason=_MONGO)
_DATABASE_USER = Older(
    (("core", "MONGO_URI"),),
    "user and password are part of the URI; each service has a database of its own",
    env_reason=_MONGO,
)
_TAG = "the tag of an image is chosen where containers are started, such as in compose"
_GRAFANA_DATABASE = Older(reason="Grafana reads Prometheus (monitoring.md)")
_LOGO = Older(reason="Grafana shows no logo of others without a licence")
_IPFS = Older(env_reason="compose.yaml has a node of its own")
_WORKER_LOGIN = "a worker logs in with its wallet; IEXEC_WORKERS_WHITELIST says which may"

OLDER: dict[str, Older] = {
    # --- iexec-core 3 to 9: names that a service still reads and .env has under another name
    "CHAIN": Older(
        (("order_publisher", "IEXEC_CONFIG_SERVER_URL"), ("order_publisher", "MARKET_API_URL")),
        "the config server describes the chain; the market is named by its URL",
    ),
    "CORE_TAG": Older(reason=_TAG, env="WORKERPOOL_TAG"),
    "IEXEC_ASK_REPLICATE_PERIOD": Older(env_reason="core pushes work to workers, which never poll"),
    "IEXEC_CHAIN_ID": Older(env="CHAIN_ID"),
    "IEXEC_CORE_PORT": Older(env_reason="compose.yaml publishes 7001"),
    "IEXEC_CORE_WALLET_PASSWORD": Older(env="PROD_CORE_WALLET_PASSWORD"),
    "IEXEC_HUB_ADDRESS": Older(env="CHAIN_HUB_ADDRESS"),
    "IEXEC_IPFS_HOST": _IPFS,
    "IEXEC_IPFS_PORT": _IPFS,
    "IEXEC_IS_SIDECHAIN": Older(
        (("registry", "IEXEC_IS_SIDECHAIN"), ("chain_adapter", "IEXEC_IS_SIDECHAIN")),
        "core reads it from the config server",
        env="CHAIN_IS_SIDECHAIN",
    ),
    "IEXEC_PRIVATE_CHAIN_ADDRESS": Older(env="CHAIN_URL"),
    "IEXEC_PUBLIC_CHAIN_ADDRESS": Older(env="CHAIN_PUBLIC_URL"),
    "IEXEC_RESULT_REPOSITORY_HOST": Older(env="PROD_RESULT_HOST"),
    "IEXEC_RESULT_REPOSITORY_PORT": Older(env_reason="compose.yaml publishes 13200"),
    "IEXEC_SMS_HOST": Older(env_reason="the platform registry names the SMS (deploy/platform)"),
    "IEXEC_START_BLOCK_NUMBER": Older(env="CHAIN_LAST_BLOCK"),
    "MARKET_API_HOST": Older((("order_publisher", "MARKET_API_URL"),), env="MARKET_API_URL"),
    "MONGO_HOST": Older(env_reason="compose.yaml names its own database"),
    "POOL_ADDRESS": Older(env="PROD_POOL_ADDRESS"),
    "RESULT_HOST": Older((("core", "IEXEC_RESULT_REPOSITORY_URL"),), env="PROD_RESULT_HOST"),
    "WORKERPOOL_DESCRIPTION": Older(reason="the description is on chain, and only its registration sets it"),
    # --- the scheduler before it, and its Grafana
    "ADMINLOGIN": Older((("core", "IEXEC_CORE_OPERATOR_USERNAME"),), env="IEXEC_CORE_OPERATOR_USERNAME"),
    "ADMINPASSWORD": Older((("core", "IEXEC_CORE_OPERATOR_PASSWORD"),), env="IEXEC_CORE_OPERATOR_PASSWORD"),
    "ADMINUID": Older(reason="an operator has no number"),
    "BLOCKCHAINETHENABLED": Older(reason="a pool always works with a chain"),
    "CERTIFICATE_AND_PRIVATE_KEYS_REPO": Older(
        (("core", "WORKERPOOL_TLS_CERTIFICATE"), ("core", "WORKERPOOL_TLS_KEY")),
        "each service may have its own; or a reverse proxy ends TLS (addresses.md)",
        env_reason="deploy/compose.https.yaml obtains certificates by itself",
    ),
    "DATABASE_FOLDER": Older(
        reason="each service creates its indexes at its start; there is no script to run"
    ),
    "DBHOST": Older((("core", "MONGO_HOST"),), "MongoDB instead of MySQL", env_reason=_MONGO),
    "DBNAME": _DATABASE_NAME,
    "DBPASS": _DATABASE_USER,
    "DBUSER": _DATABASE_USER,
    "DELEGATEDREGISTRATION": Older(
        reason="no user registers: every wallet of the chain may buy, unless the order of the pool is restricted "
        "(ORDER_PUBLISHER_REQUESTER_RESTRICT)"
    ),
    "ETHNODE": Older(
        (("core", "IEXEC_BLOCKCHAIN_NODE_ADDRESS"), ("chain_adapter", "IEXEC_BLOCKCHAIN_NODE_ADDRESS")),
        env="CHAIN_URL",
    ),
    "GRAFANA_ADMIN_PASSWORD": Older(
        reason="a variable of Grafana itself: GF_SECURITY_ADMIN_PASSWORD", env="PROD_GRAFANA_ADMIN_PASSWORD"
    ),
    "GRAFANA_DOCKER_IMAGE_VERSION": Older(reason=_TAG, env="GRAFANA_IMAGE"),
    "GRAFANA_HOME_LOGO_HEIGHT": _LOGO,
    "GRAFANA_HOME_LOGO_PATH": _LOGO,
    "GRAFANA_HOME_LOGO_WIDTH": _LOGO,
    "GRAFANA_HOME_NAME": Older(reason="the dashboards show the pool by its address"),
    "GRAFANA_HOST": Older(reason="a variable of Grafana itself: GF_SERVER_ROOT_URL", env="PROD_GRAFANA_HOST"),
    "GRAFANA_SQL_LOGIN": _GRAFANA_DATABASE,
    "GRAFANA_SQL_PASSWORD": _GRAFANA_DATABASE,
    "IEXECHUBCONTRACT": Older(
        (
            ("registry", "IEXEC_HUB_ADDRESS"),
            ("chain_adapter", "IEXEC_HUB_ADDRESS"),
            ("result_proxy", "IEXEC_HUB_ADDRESS"),
        ),
        env="CHAIN_HUB_ADDRESS",
    ),
    "JWTETHISSUER": Older(reason="tokens name the service that issues them"),
    "JWTETHSECRET": Older(
        reason="core makes its keys itself, keeps them in its database, and replaces them after 30 days"
    ),
    "LOGGERLEVEL": Older(
        (("core", "WORKERPOOL_LOG_LEVEL"), ("worker", "WORKERPOOL_LOG_LEVEL")), env="WORKERPOOL_LOG_LEVEL"
    ),
    "MAXFILESIZE": Older(
        (("result_proxy", "IEXEC_RESULT_PROXY_MAX_SIZE"), ("worker", "WORKERPOOL_WORKER_DOWNLOAD_MAX_BYTES")),
        "in bytes; results and input files apart",
        env="IEXEC_RESULT_PROXY_MAX_SIZE",
    ),
    "MYSQLDATA_FOLDER": Older(
        reason="the database keeps its files where its own configuration says: with compose, in a volume"
    ),
    "MYSQL_ADMIN_PASSWORD": Older(
        reason="no service administers the database; its administrator's password stays with the operator",
        env="PROD_MONGO_PASSWORD",
    ),
    "MYSQL_DB_NAME": _DATABASE_NAME,
    "MYSQL_USER_LOGIN": _DATABASE_USER,
    "MYSQL_USER_PASSWORD": _DATABASE_USER,
    "RLCCONTRACT": Older(reason="the hub holds the accounts; services read it"),
    "SCHEDULERWALLETPASSWORD": _WALLET_PASSWORD,
    "SCHEDULERWALLETPATH": _WALLET_PATH,
    "SCHEDULER_DOCKER_IMAGE_VERSION": Older(reason=_TAG, env="WORKERPOOL_TAG"),
    "SCHEDULER_PERSISTING_FOLDER": Older(
        (("result_proxy", "IEXEC_IPFS_URL"), ("result_proxy", "MONGO_URI")),
        "results are in IPFS or in MongoDB",
        env_reason="results are in IPFS and MongoDB, each on a volume",
    ),
    "WALLETPASSWORD": _WALLET_PASSWORD,
    "WALLETPATH": _WALLET_PATH,
    "WORKERLOGIN": Older(
        (("core", "IEXEC_WORKERS_WHITELIST"), ("worker", "IEXEC_WORKER_WALLET_PATH")),
        "a worker logs in by a signature of its wallet",
        env_reason=_WORKER_LOGIN,
    ),
    "WORKERPASSWORD": Older(
        (("worker", "IEXEC_WORKER_WALLET_PASSWORD"),),
        "that of the worker's own wallet",
        env_reason=_WORKER_LOGIN,
    ),
    "WORKERPOOLADDRESS": Older(
        (("core", "POOL_ADDRESS"), ("worker", "POOL_ADDRESS"), ("order_publisher", "POOL_ADDRESS")),
        env="PROD_POOL_ADDRESS",
    ),
    "WORKERUID": Older(reason="a worker is identified by the address of its wallet"),
}
"""By the name of the older variable. One without settings and reason is still read by the services that had it."""


def env_advice(name: str) -> str | None:
    """Return what to do about a variable of an older stack in `.env`, None for any other."""
    older = OLDER.get(name)
    if older is None:
        return None
    return f"it is {older.env} now" if older.env else f"remove it: {older.env_reason or older.reason}"


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
    (
        "core",
        "IEXEC_GAS_PRICE_CAP",
    ): "core sends nothing: the cap bounds the coins that a worker needs for gas",
    (
        "chain_adapter",
        "IEXEC_BLOCKCHAIN_ADAPTER_API_MAX_ALLOWED_TX_PER_BLOCK",
    ): "the default is 64 in flight, not 1",
}
"""Differences under the same name, by service and variable."""
