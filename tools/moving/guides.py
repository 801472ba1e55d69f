"""The lines of the two guides of the existing stack that name a command, an address, a file or a setting.

A line either works here (`here` says how, or is empty if unchanged), or `instead` names its replacement. Tests
run each line that works, by its number.
"""

from typing import NamedTuple


class Line(NamedTuple):
    """One line of a guide, and its equivalent here."""

    text: str
    here: str = ""
    """How it works here; empty: the same."""
    instead: str = ""
    """Its replacement; empty: the line works."""

    @property
    def works(self) -> bool:
        """Whether the line works here."""
        return not self.instead


class Guide(NamedTuple):
    """A guide of the existing stack."""

    name: str
    title: str
    lines: dict[int, Line]


_WITHOUT_EFFECT = "no effect, and core says so: the config server describes the chain"
_COMPOSE = "as `docker compose`, with the plugin"
_WALLET = 'iexec account deposit "100000000" --wallet-file'

DEPLOYMENT = Guide(
    "001",
    "Deployment of a workerpool",
    {
        73: Line("iexec init --skip-wallet"),
        78: Line('edit chain.json: "default": "bellecour"'),
        96: Line("iexec wallet create --keystoredir $PWD; mv UTC--* core_wallet.json"),
        105: Line("iexec wallet import your_private_key"),
        112: Line("iexec wallet create --keystoredir $PWD; mv UTC--* worker_wallet.json"),
        121: Line(
            'iexec workerpool init --wallet-file "core_wallet.json" …',
            "or `poolctl init` for all of 73 to 185",
        ),
        126: Line("edit iexec.json: description, owner"),
        144: Line('iexec workerpool deploy --wallet-file "core_wallet.json" …'),
        157: Line("the address is in deployed.json"),
        160: Line(
            "explorer.iex.ec",
            instead="a service of iExec, outside a pool; it shows pools of this software too",
        ),
        176: Line('iexec wallet send-RLC "10" --to …'),
        184: Line(f"{_WALLET} core_wallet.json …"),
        185: Line(f"{_WALLET} worker_wallet.json …"),
        197: Line("PROD_CHAIN_ADAPTER_PASSWORD"),
        198: Line("PROD_GRAFANA_ADMIN_PASSWORD"),
        199: Line("PROD_MONGO_PASSWORD"),
        200: Line("PROD_CORE_WALLET_PASSWORD"),
        201: Line("PROD_WALLET_PASSWORD"),
        202: Line("PROD_CORE_HOST"),
        203: Line("PROD_CHAIN_ADAPTER_HOST"),
        204: Line("PROD_GRAFANA_HOST"),
        205: Line("WORKER_AVAILABLE_CPU"),
        206: Line("PROD_POOL_ADDRESS"),
        213: Line(
            "WORKERPOOL_PRICE, ORDER_PUBLISHER_REQUESTER_RESTRICT",
            "the same; GRAFANA_HOME_NAME has no successor, since the dashboards show the pool by its address",
        ),
        229: Line(".env and core/ in /opt", "a clone anywhere: compose.yaml and .env are at its top"),
        231: Line(
            "core_wallet.json as core/wallet.json", "`wallet.json` beside compose.yaml, or PROD_CORE_WALLET"
        ),
        235: Line("docker-compose up -d", _COMPOSE),
        241: Line("http://$PROD_CHAIN_ADAPTER_HOST:13010/config/chain"),
        245: Line("http://$PROD_CORE_HOST:7001/metrics"),
        249: Line("http://$PROD_CORE_HOST:7000/"),
        264: Line(".env and worker/ in /opt", "`deploy/worker` and .env on the worker's host"),
        266: Line(
            "worker_wallet.json as worker/wallet-0.json", "`wallet-0.json` beside the worker's compose.yaml"
        ),
        270: Line("docker-compose up -d of a worker", _COMPOSE),
        279: Line("http://$PROD_CORE_HOST:7001/metrics: one alive worker"),
        281: Line("http://$PROD_CORE_HOST:7000/"),
        285: Line(
            'docker-compose exec -T "order-publisher-std" sh -c \'iexec orderbook workerpool "$WORKERPOOL" …\'',
            instead="`poolctl orders list`, or `iexec orderbook` on any host: the publisher's image holds no SDK",
        ),
        287: Line('docker-compose logs "order-publisher-std"', _COMPOSE),
        294: Line("iexec workerpool publish --help"),
        296: Line("iexec workerpool publish … --requester-restrict … --category 1 --price 0 --volume 1 0x…"),
        301: Line(
            "iexec workerpool unpublish --all 0x…",
            "with ORDER_PUBLISHER_PAUSED=true, else it offers again",
        ),
        312: Line(
            "docker-compose -f docker-compose.yml -f docker-compose-${FEATURE}.yml up -d",
            "`docker compose -f compose.yaml -f deploy/compose.FEATURE.yaml up -d`",
        ),
        316: Line("HTTPS and TEE combine, HTTP and HTTPS do not"),
        322: Line("PROD_GRAFANA_HOST for the reverse proxy"),
        325: Line("take 7001:13000, 7000:3000 and 13010:13010 out of the ports", "the overlay does so"),
        331: Line("certificates of Let's Encrypt, an administrator's address", "LETSENCRYPT_ADMIN_EMAIL"),
        337: Line(
            "curl … install_sgx_driver.sh | bash",
            instead="nothing: no worker of this version runs an enclave",
        ),
        340: Line("account at gitlab.scontain.com", instead="nothing, as line 337"),
        344: Line(
            "the worker's log says whether SGX is there",
            instead="workers refuse enclave tasks (TEE_NOT_SUPPORTED)",
        ),
    },
)

MANUAL = Guide(
    "002",
    "Manage a pool of workers",
    {
        28: Line(
            "image: mongo:4-xenial", instead="`mongo:7.0` (MONGO_IMAGE) as a replica set with authentication"
        ),
        32: Line("restart: unless-stopped"),
        35: Line(
            "image: mongo-express:0.49", "the service `mongo-express`, version 1.0 (MONGO_EXPRESS_IMAGE)"
        ),
        38: Line("ME_CONFIG_BASICAUTH_USERNAME=mongoUiAdmin"),
        39: Line(
            "ME_CONFIG_BASICAUTH_PASSWORD=mongoUiPassw0rd",
            "the same; this password is refused as a default one",
        ),
        41: Line(
            "mongo_ui on port 8081",
            instead="port 7002 of this host only: it shows everything, so by `ssh -L`",
        ),
        55: Line("image: jbenet/go-ipfs:latest", instead="`ipfs/kubo` of a fixed version (IPFS_IMAGE)"),
        58: Line("ipfs on port 4001"),
        60: Line("volume ipfs-docker-staging:/export", "the volume `ipfs-staging`"),
        61: Line("volume ipfs-docker-data:/data/ipfs", "the volume `ipfs-data`"),
        76: Line("IEXEC_CORE_WALLET_PATH"),
        77: Line("IEXEC_CORE_WALLET_PASSWORD", "the same, or IEXEC_CORE_WALLET_PASSWORD_FILE"),
        78: Line(
            "IEXEC_PRIVATE_CHAIN_ADDRESS", "still read; the newer name is IEXEC_BLOCKCHAIN_NODE_ADDRESS"
        ),
        79: Line("IEXEC_PUBLIC_CHAIN_ADDRESS", instead=f"{_WITHOUT_EFFECT}; CHAIN_PUBLIC_URL"),
        80: Line("IEXEC_HUB_ADDRESS", instead=f"{_WITHOUT_EFFECT}; CHAIN_HUB_ADDRESS"),
        81: Line("POOL_ADDRESS", "the same; PROD_POOL_ADDRESS in .env"),
        82: Line("IEXEC_START_BLOCK_NUMBER", "the same; CHAIN_LAST_BLOCK in .env"),
        83: Line("REVEAL_TIMEOUT_PERIOD", "the same"),
        84: Line(
            "IEXEC_ASK_REPLICATE_PERIOD", instead="no effect, and core says so: it pushes work to workers"
        ),
        85: Line("IEXEC_RESULT_REPOSITORY_HOST", "the same"),
        86: Line("IEXEC_RESULT_REPOSITORY_PORT", "the same"),
        87: Line("IEXEC_CHAIN_ID", instead=f"{_WITHOUT_EFFECT}; CHAIN_ID"),
        88: Line("MONGO_HOST", "the same, or MONGO_URI with user and password"),
        89: Line(
            "IEXEC_IPFS_HOST", instead="no effect, and core says so: IEXEC_IPFS_URL of the result proxy"
        ),
        90: Line("IEXEC_IPFS_PORT", instead="as line 89"),
        91: Line("IEXEC_CORE_PORT", "the same"),
        92: Line(
            "IEXEC_SMS_HOST", instead="no effect, and core says so: the platform registry names the SMS"
        ),
        94: Line("./wallet.json:/iexec-wallet/wallet.json", "a secret: `wallet.json` beside compose.yaml"),
        96: Line("core on port 18090", instead="port 7001 and gRPC 17001, as the newer guide has it"),
        102: Line("core: restart: unless-stopped"),
        112: Line("docker-compose up -d", _COMPOSE),
        115: Line("start core before the workers", "in any order: a worker waits for core"),
        122: Line("docker-compose down", _COMPOSE),
        125: Line(
            "workers do not work while the scheduler is off",
            "they finish what they compute, then resume",
        ),
    },
)

GUIDES = (DEPLOYMENT, MANUAL)


def older_guides_page() -> str:
    """Return the page of both guides, line by line."""
    parts = [
        "# The guides of the existing stack, line by line\n\n"
        "Made by `make docs` from `tools/moving/guides.py`; do not edit.\n\n"
        "Each command, address, file and setting of the two published guides, by the number of its line. Tests run\n"
        "every line that works: the commands of the iExec SDK in `tests/sdk`, the others in `tests/stack`. Grafana's\n"
        "image is not available there, so its lines are checked in the configuration.\n"
    ]
    for guide in GUIDES:
        for heading, works in (("works here", True), ("is replaced", False)):
            rows = "".join(
                f"| {number} | `{line.text}` | {(line.here or 'the same') if works else line.instead} |\n"
                for number, line in sorted(guide.lines.items())
                if line.works is works
            )
            parts.append(
                f"\n## {guide.title}: what {heading}\n\n| line | says | here |\n|---|---|---|\n{rows}"
            )
    return "".join(parts)
