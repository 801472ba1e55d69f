"""A node whose hub knows one pool and its owner."""

from typing import Any

from doubles.node import CHAIN_ID, Node
from workerpool_poco.protocol.contracts import abi
from workerpool_poco.protocol.encoding.abi_codec import encode
from workerpool_poco.protocol.ids import from_hex, to_hex

HUB = "0x" + "cd" * 20


def serve_hub(node: Node, owner: str, *, stake: int = 100) -> None:
    """Let a node answer the views that the publisher calls."""
    views: dict[str, tuple[Any, ...]] = {
        "domain": (("iExecODB", "5.0.0", CHAIN_ID, HUB),),
        "viewWorkerpool": ((owner, "a pool", 30, 5),),
        "viewConsumed": (0,),
        "viewAccount": ((stake, 0),),
    }
    known = {abi.HUB[name].selector: (abi.HUB[name], values) for name, values in views.items()}
    known[abi.WORKERPOOL["owner"].selector] = (abi.WORKERPOOL["owner"], (owner,))
    others = node.answer

    def answer(request: Any) -> dict[str, Any]:
        if request["method"] != "eth_call":
            return others(request)
        function, values = known[from_hex(request["params"][0]["data"])[:4]]
        result = to_hex(encode(function.outputs, values))
        return {"jsonrpc": "2.0", "id": request["id"], "result": result}

    node.answer = answer  # type: ignore[method-assign]
