"""The stored form of the order in a cancellation: JSON with the names of the contract's struct, unsigned."""

import json

from workerpool_poco.protocol.orders import WorkerpoolOrder


def to_text(order: WorkerpoolOrder) -> str:
    """Return the text of an order; equal orders have equal texts."""
    return json.dumps({name: value for name, value in order.to_json().items() if name != "sign"})


def from_text(text: str) -> WorkerpoolOrder:
    """Return the order of a text from `to_text`."""
    return WorkerpoolOrder.from_json(json.loads(text))
