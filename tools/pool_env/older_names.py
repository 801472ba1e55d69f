"""What became of the variables of older stacks: a successor, or the reason why there is none.

The MySQL and XWHEP scheduler, and the compose files of iexec-core 3 to 8.
"""

SUCCESSORS = {
    "MYSQL_ADMIN_PASSWORD": "PROD_MONGO_PASSWORD",
    "SCHEDULERWALLETPATH": "PROD_CORE_WALLET",
    "WALLETPATH": "PROD_CORE_WALLET",
    "SCHEDULERWALLETPASSWORD": "PROD_CORE_WALLET_PASSWORD",
    "WALLETPASSWORD": "PROD_CORE_WALLET_PASSWORD",
    "ADMINLOGIN": "IEXEC_CORE_OPERATOR_USERNAME",
    "ADMINPASSWORD": "IEXEC_CORE_OPERATOR_PASSWORD",
    "LOGGERLEVEL": "WORKERPOOL_LOG_LEVEL",
    "MAXFILESIZE": "IEXEC_RESULT_PROXY_MAX_SIZE",
    "ETHNODE": "CHAIN_URL",
    "IEXECHUBCONTRACT": "CHAIN_HUB_ADDRESS",
    "WORKERPOOLADDRESS": "PROD_POOL_ADDRESS",
    "SCHEDULER_DOCKER_IMAGE_VERSION": "WORKERPOOL_TAG",
    "GRAFANA_DOCKER_IMAGE_VERSION": "GRAFANA_IMAGE",
    "GRAFANA_ADMIN_PASSWORD": "PROD_GRAFANA_ADMIN_PASSWORD",
    "GRAFANA_HOST": "PROD_GRAFANA_HOST",
    "MARKET_API_HOST": "MARKET_API_URL",
    "RESULT_HOST": "PROD_RESULT_HOST",
    "IEXEC_PRIVATE_CHAIN_ADDRESS": "CHAIN_URL",
    "IEXEC_PUBLIC_CHAIN_ADDRESS": "CHAIN_PUBLIC_URL",
    "IEXEC_HUB_ADDRESS": "CHAIN_HUB_ADDRESS",
    "IEXEC_CHAIN_ID": "CHAIN_ID",
    "IEXEC_START_BLOCK_NUMBER": "CHAIN_LAST_BLOCK",
    "IEXEC_CORE_WALLET_PASSWORD": "PROD_CORE_WALLET_PASSWORD",
    "IEXEC_RESULT_REPOSITORY_HOST": "PROD_RESULT_HOST",
    "POOL_ADDRESS": "PROD_POOL_ADDRESS",
    "CORE_TAG": "WORKERPOOL_TAG",
}
"""The variable of .env that replaces each."""

_DATABASE = "the database is MongoDB, and mongo-init makes its users"
_CERTIFICATE = "deploy/compose.https.yaml obtains certificates by itself"
_WORKER_LOGIN = "a worker logs in with its wallet; IEXEC_WORKERS_WHITELIST says which may"
_GRAFANA_DATABASE = "Grafana reads Prometheus"
_LOGO = "Grafana without a licence has no logo of others"

REASONS = {
    "MYSQL_DB_NAME": _DATABASE,
    "MYSQL_USER_LOGIN": _DATABASE,
    "MYSQL_USER_PASSWORD": _DATABASE,
    "DBHOST": _DATABASE,
    "DBNAME": _DATABASE,
    "DBUSER": _DATABASE,
    "DBPASS": _DATABASE,
    "MYSQLDATA_FOLDER": "the volume mongo-data holds the database",
    "DATABASE_FOLDER": "each service makes its indexes",
    "CERTIFICATE_AND_PRIVATE_KEYS_REPO": _CERTIFICATE,
    "SCHEDULER_PERSISTING_FOLDER": "results are in IPFS and MongoDB, each on a volume",
    "ADMINUID": "an operator has no number",
    "WORKERLOGIN": _WORKER_LOGIN,
    "WORKERPASSWORD": _WORKER_LOGIN,
    "WORKERUID": "the address of its wallet identifies a worker",
    "JWTETHISSUER": "tokens name the service that issued them",
    "JWTETHSECRET": "core makes its keys and replaces them each 30 days",
    "DELEGATEDREGISTRATION": "every user of the chain may buy; ORDER_PUBLISHER_REQUESTER_RESTRICT admits one only",
    "BLOCKCHAINETHENABLED": "a pool always works with a chain",
    "RLCCONTRACT": "the hub holds the accounts",
    "GRAFANA_SQL_LOGIN": _GRAFANA_DATABASE,
    "GRAFANA_SQL_PASSWORD": _GRAFANA_DATABASE,
    "GRAFANA_HOME_NAME": "the dashboards show the pool by its address",
    "GRAFANA_HOME_LOGO_PATH": _LOGO,
    "GRAFANA_HOME_LOGO_WIDTH": _LOGO,
    "GRAFANA_HOME_LOGO_HEIGHT": _LOGO,
    "IEXEC_ASK_REPLICATE_PERIOD": "core pushes work to workers, which never poll",
    "IEXEC_IPFS_HOST": "compose.yaml has a node of its own",
    "IEXEC_IPFS_PORT": "compose.yaml has a node of its own",
    "IEXEC_SMS_HOST": "the platform registry names the SMS (deploy/platform)",
    "IEXEC_RESULT_REPOSITORY_PORT": "compose.yaml publishes 13200",
    "IEXEC_CORE_PORT": "compose.yaml publishes 7001",
    "MONGO_HOST": "compose.yaml names its own database",
    "WORKERPOOL_DESCRIPTION": "the description is on chain, and only its registration sets it",
}
"""Why a variable has no successor."""


def advice(name: str) -> str | None:
    """Return what to do about a variable of an older stack, None for any other."""
    if name in SUCCESSORS:
        return f"it is {SUCCESSORS[name]} now"
    if name in REASONS:
        return f"remove it: {REASONS[name]}"
    return None
