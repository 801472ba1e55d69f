"""The interface against the lists of the specification and the published contracts."""

import pytest
from workerpool_devnet.market import artifacts
from workerpool_poco.errors import MalformedAnswer
from workerpool_poco.protocol.contracts import abi
from workerpool_poco.protocol.contracts.events import EVENT_TYPES, topic_of
from workerpool_poco.protocol.contracts.interface import Contract, Function

SELECTORS = {
    "initialize": "5b36c66b",
    "contribute": "34623484",
    "reveal": "fc334e8c",
    "finalize": "8fc375e5",
    "contributeAndFinalize": "5facd761",
    "reopen": "f6c68e10",
    "claim": "bd66528a",
    "initializeArray": "b504681d",
    "claimArray": "fa055d7e",
    "initializeAndClaimArray": "f722cb32",
    "matchOrders": "156194d4",
    "sponsorMatchOrders": "2f391533",
    "verifySignature": "01751998",
    "viewDeal": "b74861b2",
    "viewTask": "adccf0d5",
    "viewContribution": "e741363b",
    "viewScore": "db230b52",
    "viewAccount": "6b55f4a5",
    "viewCategory": "4f5f44ec",
    "viewApp": "e1523fb4",
    "viewDataset": "1e143ef7",
    "viewConsumed": "4b2bec8c",
    "viewPresigned": "d286eb16",
    "callbackgas": "e63ec07d",
    "resultFor": "d09cc57e",
    "domain": "c2fb26a6",
}
TOPICS = {
    "SchedulerNotice": "692ad61076dceddd0f1a861f737553dd61fc8501cf4190d29c4e90af6607f765",
    "OrdersMatched": "d811b592ed0899225773e8933d8df64bd0b62761a9d7aad4ed5b22735f4610a4",
    "TaskInitialize": "252992fb0468d68d6a5784ec03214f0d0a362083f2d7ebd157af43b017a22e06",
    "TaskContribute": "3fdb8d7797562d49a81078dbf7fa1771958ea452f8b13d1148383bd9506aecfb",
    "TaskConsensus": "f6d49bf3e05d33a4bc497d3c793fb5756388bb96b947cf51bb60aaecb0e022e3",
    "TaskReveal": "4b1763d473ac8fa80b4432ba90047e1b92444d8fabc55e6a002d9b1a316d7959",
    "TaskReopen": "3afe0f24796ce653c6ab1f3e7aba5ce564eece5e82aee724aff28253e829f07b",
    "TaskFinalize": "78ce8a8bc0fcb704e8ba3b3dbb36aa88002df8038128b4af2f27ef65db665044",
    "TaskClaimed": "cbc308b5f91040d2659a5201858344b0b583cd2f9e18e8470c2fa052c5b21ff8",
}
PUBLISHED = [
    (abi.HUB, "IexecInterfaceToken"),
    (abi.NATIVE_HUB, "IexecInterfaceNative"),
    (abi.APP_REGISTRY, "AppRegistry"),
    (abi.DATASET_REGISTRY, "DatasetRegistry"),
    (abi.WORKERPOOL_REGISTRY, "WorkerpoolRegistry"),
    (abi.WORKERPOOL, "Workerpool"),
]


@pytest.mark.parametrize("name", SELECTORS)
def test_selectors(name: str) -> None:
    assert abi.HUB[name].selector.hex() == SELECTORS[name]


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.__name__)
def test_topics(kind: type) -> None:
    topic = topic_of(kind).hex()
    assert topic == TOPICS.get(kind.__name__, topic)


def test_every_listed_topic_has_an_event() -> None:
    assert set(TOPICS) <= {kind.__name__ for kind in EVENT_TYPES}


def solidity(parameter: dict) -> str:  # type: ignore[type-arg]
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(solidity, parameter['components']))}){kind[5:]}"


@pytest.mark.parametrize(("contract", "name"), PUBLISHED, ids=[name for _, name in PUBLISHED])
def test_every_entry_is_in_the_published_contract(contract: Contract, name: str) -> None:
    entries = artifacts.poco(name).abi
    functions = {
        (entry["name"], tuple(map(solidity, entry["inputs"]))): tuple(map(solidity, entry["outputs"]))
        for entry in entries
        if entry["type"] == "function"
    }
    events = {
        entry["name"]: [(solidity(item), item["indexed"]) for item in entry["inputs"]]
        for entry in entries
        if entry["type"] == "event"
    }
    for function in contract.functions.values():
        assert functions[function.name, function.inputs] == function.outputs
    for event in contract.events.values():
        assert events[event.name] == [(item.type, item.indexed) for item in event.parameters]


def test_an_empty_answer_is_malformed() -> None:
    with pytest.raises(MalformedAnswer):
        Function("f", (), ("uint256",)).decode(b"")


def test_a_mistyped_entry_is_refused() -> None:
    with pytest.raises(ValueError, match="not a function or event"):
        Contract("function broken(uint256")
