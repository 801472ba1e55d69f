"""The list of datasets of a bulk task."""

import json

from workerpool_poco.protocol.orders import DatasetOrder
from workerpool_sms.domain.session.bulk import MAX_DATASETS, dataset_orders, is_cid, slice_cid

from services.sms.tests.doubles.chain import DATASET

ORDER = DatasetOrder(dataset=DATASET, sign=b"s").to_json()


def test_a_task_has_the_cid_at_its_position() -> None:
    content = json.dumps(["QmFirst11", "QmSecond1"])
    assert [slice_cid(content, position) for position in (0, 1, 2, -1)] == [
        "QmFirst11",
        "QmSecond1",
        None,
        None,
    ]
    for broken in ("", "{}", "[1, 2]", '["../../x", "a"]', "[" * 5000):
        assert slice_cid(broken, 1) is None


def test_a_cid_cannot_leave_the_path_of_a_gateway() -> None:
    assert is_cid("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG")
    for text in ("", "../../api/v0", "a/b", "Qm?x=1", "Qm#", "x" * 200):
        assert not is_cid(text)


def test_entries_that_are_no_orders_are_dropped() -> None:
    content = json.dumps(
        [
            *(
                ORDER,
                {},
                5,
                "x",
                {**ORDER, "dataset": "0x12"},
                {**ORDER, "volume": "x"},
                {**ORDER, "volume": -1},
            ),
            # A number in place of bytes would be a wish for as much memory.
            *({**ORDER, "volume": float("inf")}, {**ORDER, "salt": 10**12}, {**ORDER, "sign": 10**12}),
        ]
    )
    assert [order.dataset for order in dataset_orders(content)] == [DATASET]
    assert dataset_orders("not json") == []
    assert len(dataset_orders(json.dumps([ORDER] * (MAX_DATASETS + 1)))) == MAX_DATASETS
