"""A requester that only has devnet.json: creates an app, buys two tasks, waits for them on chain.

Run as a program of its own by test_second_requester.py: it imports no part of the pool, only the protocol
library for hashes and signatures, as an SDK would bring them. Usage: client_of_devnet_json.py FILE IMAGE
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
from workerpool_poco.deal_params import DealParams
from workerpool_poco.ids import task_id
from workerpool_poco.orders import NO_DATASET, AppOrder, RequestOrder, WorkerpoolOrder, order_domain
from workerpool_poco.wallet import Wallet

COMPLETED = 3
PRICE = 5 * 10**8


def send(w3: Web3, key: str, call: Any) -> Any:
    sender = Account.from_key(key)
    fields = {"from": sender.address, "nonce": w3.eth.get_transaction_count(sender.address, "pending")}
    signed = sender.sign_transaction(call.build_transaction(fields))
    receipt = w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(signed.raw_transaction))
    assert receipt["status"] == 1, receipt
    return receipt


def main(document: dict[str, Any], image: str) -> list[int]:
    w3 = Web3(HTTPProvider(document["rpc"]))
    interface = Path(__file__).parents[2] / "node_modules/@iexec/poco/artifacts/contracts"
    abis = {
        path.stem: json.loads(path.read_text())["abi"]
        for path in interface.rglob("*.json")
        if ".dbg" not in path.name
    }
    hub = w3.eth.contract(address=document["hub"], abi=abis["IexecInterfaceToken"])
    registry = w3.eth.contract(address=document["registries"]["app"], abi=abis["AppRegistry"])
    me, pool_owner = document["accounts"]["spare"], document["accounts"]["poolOwner"]
    buyer, seller = Wallet.from_key(me["privateKey"]), Wallet.from_key(pool_owner["privateKey"])

    name = f"second requester {secrets.token_hex(4)}"
    created = send(
        w3,
        me["privateKey"],
        registry.functions.createApp(me["address"], name, "DOCKER", image.encode(), bytes(32), b""),
    )
    app = registry.events.Transfer().process_receipt(created)[0]["args"]["tokenId"].to_bytes(20, "big")
    app = w3.to_checksum_address("0x" + app.hex())

    terms = {"volume": 2, "category": 1, "trust": 3}
    domain = order_domain(document["chainId"], document["hub"])
    orders = (
        AppOrder(app=app, appprice=0, volume=2).signed(buyer, domain).calldata(),
        NO_DATASET.calldata(),
        WorkerpoolOrder(workerpool=document["workerpool"], workerpoolprice=PRICE, **terms)
        .signed(seller, domain)
        .calldata(),
        RequestOrder(
            app=app,
            appmaxprice=0,
            workerpool=document["workerpool"],
            workerpoolmaxprice=PRICE,
            requester=buyer.address,
            beneficiary=buyer.address,
            params=DealParams(args="all").encode(),
            **terms,
        )
        .signed(buyer, domain)
        .calldata(),
    )
    matched = send(w3, me["privateKey"], hub.functions.matchOrders(*orders))
    (event,) = hub.events.OrdersMatched().process_receipt(matched, errors=DISCARD)
    deal = event["args"]["dealid"]
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        statuses = [hub.functions.viewTask(task_id(deal, index)).call()[0] for index in range(2)]
        if statuses == [COMPLETED, COMPLETED]:
            return statuses
        time.sleep(0.2)
    return statuses


if __name__ == "__main__":
    statuses = main(json.loads(Path(sys.argv[1]).read_text()), sys.argv[2])
    print("statuses on chain:", statuses)
    sys.exit(0 if statuses == [COMPLETED, COMPLETED] else 1)
