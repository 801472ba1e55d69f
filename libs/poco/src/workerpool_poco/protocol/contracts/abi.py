"""The interfaces of the PoCo contracts: hub (token and native), registries, resources and the RLC token.

They are written out because these signatures are the protocol. A test compares them with the published contracts (PoCo
6.1.0).
"""

from workerpool_poco.protocol.contracts.interface import Contract
from workerpool_poco.protocol.encoding.eip712 import fields_of
from workerpool_poco.protocol.orders import AppOrder, DatasetOrder, RequestOrder, WorkerpoolOrder

_ORDERS = (AppOrder, DatasetOrder, WorkerpoolOrder, RequestOrder)
_STRUCTS = {
    order.__name__: f"({','.join([kind for kind, _ in fields_of(order.TYPE)] + ['bytes'])})"
    for order in _ORDERS
} | {
    f"{order.__name__}Operation": f"(({','.join([kind for kind, _ in fields_of(order.TYPE)] + ['bytes'])}),"
    "uint8,bytes)"
    for order in _ORDERS
}
_STRUCTS |= {
    "Deal": (
        "((address,address,uint256),(address,address,uint256),(address,address,uint256),uint256,uint256,"
        "bytes32,address,address,address,string,uint256,uint256,uint256,uint256,uint256,address)"
    ),
    "Task": (
        "(uint8,bytes32,uint256,uint256,uint256,uint256,uint256,bytes32,uint256,uint256,address[],bytes32,"
        "bytes,uint256,bytes)"
    ),
    "Contribution": "(uint8,bytes32,bytes32,address,uint256)",
    "Category": "(string,string,uint256)",
    "Account": "(uint256,uint256)",
    "App": "(address,string,string,bytes,bytes32,bytes)",
    "Dataset": "(address,string,bytes,bytes32)",
    "Workerpool": "(address,string,uint256,uint256)",
    "Domain": "(string,string,uint256,address)",
}

HUB = Contract(
    """
    function initialize(bytes32 dealid, uint256 index) returns (bytes32 taskid)
    function initializeArray(bytes32[] dealids, uint256[] indexes) returns (bool)
    function initializeAndClaimArray(bytes32[] dealids, uint256[] indexes) returns (bool)
    function contribute(
        bytes32 taskid, bytes32 resultHash, bytes32 resultSeal, address enclaveChallenge,
        bytes enclaveSign, bytes authorizationSign
    )
    function contributeAndFinalize(
        bytes32 taskid, bytes32 resultDigest, bytes results, bytes resultsCallback,
        address enclaveChallenge, bytes enclaveSign, bytes authorizationSign
    )
    function reveal(bytes32 taskid, bytes32 resultDigest)
    function reopen(bytes32 taskid)
    function finalize(bytes32 taskid, bytes results, bytes resultsCallback)
    function claim(bytes32 taskid)
    function claimArray(bytes32[] taskids) returns (bool)

    function matchOrders(
        AppOrder app, DatasetOrder dataset, WorkerpoolOrder workerpool, RequestOrder request
    ) returns (bytes32 dealid)
    function sponsorMatchOrders(
        AppOrder app, DatasetOrder dataset, WorkerpoolOrder workerpool, RequestOrder request
    ) returns (bytes32 dealid)
    function assertDatasetDealCompatibility(DatasetOrder order, bytes32 dealid)
    function manageAppOrder(AppOrderOperation operation)
    function manageDatasetOrder(DatasetOrderOperation operation)
    function manageWorkerpoolOrder(WorkerpoolOrderOperation operation)
    function manageRequestOrder(RequestOrderOperation operation)
    function verifySignature(address signer, bytes32 hash, bytes signature) returns (bool)
    function verifyPresignature(address signer, bytes32 hash) returns (bool)

    function viewDeal(bytes32 dealid) returns (Deal)
    function viewTask(bytes32 taskid) returns (Task)
    function viewContribution(bytes32 taskid, address worker) returns (Contribution)
    function viewCategory(uint256 category) returns (Category)
    function viewApp(address app) returns (App)
    function viewDataset(address dataset) returns (Dataset)
    function viewWorkerpool(address workerpool) returns (Workerpool)
    function viewAccount(address account) returns (Account)
    function viewScore(address worker) returns (uint256)
    function viewConsumed(bytes32 orderhash) returns (uint256)
    function viewPresigned(bytes32 orderhash) returns (address)
    function resultFor(bytes32 taskid) returns (bytes)
    function countCategory() returns (uint256)
    function domain() returns (Domain)
    function teebroker() returns (address)
    function callbackgas() returns (uint256)
    function contribution_deadline_ratio() returns (uint256)
    function reveal_deadline_ratio() returns (uint256)
    function final_deadline_ratio() returns (uint256)
    function workerpool_stake_ratio() returns (uint256)
    function token() returns (address)
    function appregistry() returns (address)
    function datasetregistry() returns (address)
    function workerpoolregistry() returns (address)

    function deposit(uint256 nrlc) returns (bool)
    function depositFor(uint256 nrlc, address account) returns (bool)
    function depositForArray(uint256[] nrlc, address[] accounts) returns (bool)
    function withdraw(uint256 nrlc) returns (bool)
    function withdrawTo(uint256 nrlc, address account) returns (bool)
    function balanceOf(address account) returns (uint256)
    function frozenOf(address account) returns (uint256)
    function approve(address spender, uint256 nrlc) returns (bool)
    function transfer(address to, uint256 nrlc) returns (bool)
    function createCategory(string name, string description, uint256 workClockTimeRef) returns (uint256)

    event SchedulerNotice(address indexed workerpool, bytes32 dealid)
    event OrdersMatched(
        bytes32 dealid, bytes32 appHash, bytes32 datasetHash, bytes32 workerpoolHash, bytes32 requestHash,
        uint256 volume
    )
    event TaskInitialize(bytes32 indexed taskid, address indexed workerpool)
    event TaskContribute(bytes32 indexed taskid, address indexed worker, bytes32 hash)
    event TaskConsensus(bytes32 indexed taskid, bytes32 consensus)
    event TaskReveal(bytes32 indexed taskid, address indexed worker, bytes32 digest)
    event TaskReopen(bytes32 indexed taskid)
    event TaskFinalize(bytes32 indexed taskid, bytes results)
    event TaskClaimed(bytes32 indexed taskid)
    event AccurateContribution(address indexed worker, bytes32 indexed taskid)
    event FaultyContribution(address indexed worker, bytes32 indexed taskid)
    event Reward(address owner, uint256 amount, bytes32 ref)
    event Seize(address owner, uint256 amount, bytes32 ref)
    event Lock(address owner, uint256 amount)
    event Unlock(address owner, uint256 amount)
    event Transfer(address indexed from, address indexed to, uint256 value)
    event DealSponsored(bytes32 dealId, address sponsor)
    """,
    _STRUCTS,
)
"""The hub of a chain where RLC is a token; amounts are nRLC, moved by `approve`."""

NATIVE_HUB = Contract(
    """
    function deposit() returns (bool)
    function depositFor(address account) returns (bool)
    """
)
"""The differences on a chain whose coin is RLC: deposits carry value, 1 nRLC = 1e9 wei."""

APP_REGISTRY = Contract(
    """
    function createApp(
        address owner, string name, string type, bytes multiaddr, bytes32 checksum, bytes mrenclave
    ) returns (address)
    function predictApp(
        address owner, string name, string type, bytes multiaddr, bytes32 checksum, bytes mrenclave
    ) returns (address)
    function isRegistered(address entry) returns (bool)
    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)
    """
)

DATASET_REGISTRY = Contract(
    """
    function createDataset(address owner, string name, bytes multiaddr, bytes32 checksum) returns (address)
    function predictDataset(address owner, string name, bytes multiaddr, bytes32 checksum) returns (address)
    function isRegistered(address entry) returns (bool)
    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)
    """
)

WORKERPOOL_REGISTRY = Contract(
    """
    function createWorkerpool(address owner, string description) returns (address)
    function predictWorkerpool(address owner, string description) returns (address)
    function isRegistered(address entry) returns (bool)
    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)
    """
)

WORKERPOOL = Contract(
    """
    function owner() returns (address)
    function m_workerpoolDescription() returns (string)
    function m_workerStakeRatioPolicy() returns (uint256)
    function m_schedulerRewardRatioPolicy() returns (uint256)
    function changePolicy(uint256 workerStakeRatio, uint256 schedulerRewardRatio)
    event PolicyUpdate(
        uint256 oldWorkerStakeRatioPolicy, uint256 newWorkerStakeRatioPolicy,
        uint256 oldSchedulerRewardRatioPolicy, uint256 newSchedulerRewardRatioPolicy
    )
    """
)

RLC = Contract(
    """
    function balanceOf(address account) returns (uint256)
    function transfer(address to, uint256 nrlc) returns (bool)
    function approve(address spender, uint256 nrlc) returns (bool)
    function approveAndCall(address spender, uint256 nrlc, bytes data)
    function allowance(address owner, address spender) returns (uint256)
    event Transfer(address indexed from, address indexed to, uint256 value)
    """
)
