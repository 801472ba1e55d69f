"""Act as a requester that knows only devnet.json: create an app, buy two tasks, wait for them on chain.

test_second_requester.py runs it as a separate program. It imports no part of the pool, only web3.py and the protocol
library for hashes and signatures, like an SDK. Usage: client_of_devnet_json.py FILE IMAGE
"""

import json
import secrets
import sys
import time
from pathlib import Path
from typing import Any

from eth_account import Account
from web3 import HTTPProvider, Web3
from web3.logs import DISCARD
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import parse_deal_id, task_id_of
from workerpool_poco.protocol.orders import (
    NO_DATASET,
    AppOrder,
    RequestOrder,
    WorkerpoolOrder,
    order_domain,
)

COMPLETED = 3
PRICE = 5 * 10**8


def send(w3: Web3, key: str, call: Any) -> Any:
    sender = Account.from_key(key)
    fields = {"from": sender.address, "nonce": w3.eth.get_transaction_count(sender.address, "pending")}
    # Another requester's match in between may make this one dearer than its estimate.
    fields["gas"] = call.estimate_gas(fields) * 5 // 4
    signed = sender.sign_transaction(call.build_transaction(fields))
    receipt = w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(signed.raw_transaction))
    assert receipt["status"] == 1, receipt
    return receipt


def contract(w3: Web3, address: Any, name: str) -> Any:
    """Return a contract with its published interface."""
    contracts = Path(__file__).parents[2] / "node_modules/@iexec/poco/artifacts/contracts"
    (path,) = contracts.rglob(f"{name}.json")
    return w3.eth.contract(address=address, abi=json.loads(path.read_text())["abi"])


def create_app(w3: Web3, document: dict[str, Any], image: str) -> str:
    """Create an app of the account `spare` and return its address."""
    registry = contract(w3, document["registries"]["app"], "AppRegistry")
    me, name = document["accounts"]["spare"], f"second requester {secrets.token_hex(4)}"
    call = registry.functions.createApp(me["address"], name, "DOCKER", image.encode(), bytes(32), b"")
    (minted,) = registry.events.Transfer().process_receipt(send(w3, me["privateKey"], call))
    return w3.to_checksum_address("0x" + minted["args"]["tokenId"].to_bytes(20, "big").hex())


def signed_orders(document: dict[str, Any], app: str) -> tuple[Any, ...]:
    """Return signed orders for two tasks on the pool of the devnet, in the form of `matchOrders`."""
    buyer = Wallet.from_key(document["accounts"]["spare"]["privateKey"])
    seller = Wallet.from_key(document["accounts"]["poolOwner"]["privateKey"])
    domain = order_domain(document["chainId"], document["hub"])
    workerpool = document["workerpool"]
    terms: dict[str, Any] = {"volume": 2, "category": 1, "trust": 3}
    request = RequestOrder(
        app=app,
        appmaxprice=0,
        workerpool=workerpool,
        workerpoolmaxprice=PRICE,
        requester=buyer.address,
        beneficiary=buyer.address,
        params=DealParams(args="all").encode(),
        **terms,
    )
    offer = WorkerpoolOrder(workerpool=workerpool, workerpoolprice=PRICE, **terms)
    return (
        AppOrder(app=app, appprice=0, volume=2).signed(buyer, domain).calldata(),
        NO_DATASET.calldata(),
        offer.signed(seller, domain).calldata(),
        request.signed(buyer, domain).calldata(),
    )


def main(document: dict[str, Any], image: str) -> list[int]:
    """Buy two tasks, wait for them, and return their statuses on chain."""
    w3 = Web3(HTTPProvider(document["rpc"]))
    hub = contract(w3, document["hub"], "IexecInterfaceToken")
    orders = signed_orders(document, create_app(w3, document, image))
    matched = send(w3, document["accounts"]["spare"]["privateKey"], hub.functions.matchOrders(*orders))
    (event,) = hub.events.OrdersMatched().process_receipt(matched, errors=DISCARD)
    deal = parse_deal_id(event["args"]["dealid"])
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        statuses = [hub.functions.viewTask(task_id_of(deal, index)).call()[0] for index in range(2)]
        if statuses == [COMPLETED, COMPLETED]:
            break
        time.sleep(0.2)
    return statuses


if __name__ == "__main__":
    statuses = main(json.loads(Path(sys.argv[1]).read_text()), sys.argv[2])
    print("statuses on chain:", statuses)
    sys.exit(0 if statuses == [COMPLETED, COMPLETED] else 1)
