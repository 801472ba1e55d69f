import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_poco.protocol.orders import (
    NO_DATASET,
    AppOrder,
    DatasetOrder,
    RequestOrder,
    WorkerpoolOrder,
    order_domain,
)
from workerpool_poco.protocol.signatures import recover_address

A, B, C = ("0x" + pair * 20 for pair in ("11", "22", "33"))
DOMAIN = order_domain(65535, "0x" + "44" * 20)
ORDERS = [
    AppOrder(app=A, appprice=5, volume=10, workerpoolrestrict=B),
    DatasetOrder(dataset=A, datasetprice=1, volume=3),
    WorkerpoolOrder(workerpool=B, workerpoolprice=7, volume=9, category=4, trust=5, tag=b"\1" * 32),
    RequestOrder(app=A, workerpool=B, requester=C, volume=2, params='{"iexec_args":"é"}', beneficiary=C),
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: type(order).__name__)
def test_the_hash_is_that_of_eip_712(order: AppOrder) -> None:
    """Compared with eth-account's general encoder."""
    message = {name: value for name, value in vars(order).items() if name != "sign"}
    typed = encode_typed_data(full_message=DOMAIN.to_json(order.TYPE, message))
    assert order.hash(DOMAIN) == keccak(b"\x19\x01" + typed.header + typed.body)


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: type(order).__name__)
def test_a_signed_order_survives_its_json_form(order: AppOrder) -> None:
    wallet = Wallet.create()
    signed = order.signed(wallet, DOMAIN)
    assert recover_address(order.hash(DOMAIN), signed.sign) == wallet.address
    assert signed.hash(DOMAIN) == order.hash(DOMAIN)
    content = signed.to_json()
    assert list(content)[-2:] == ["salt", "sign"]
    assert type(order).from_json(content) == signed
    texts = {name: str(value) if isinstance(value, int) else value for name, value in content.items()}
    assert type(order).from_json(texts) == signed


def test_the_domain_is_that_of_the_contract() -> None:
    assert (DOMAIN.name, DOMAIN.version) == ("iExecODB", "5.0.0")


def test_no_dataset_is_all_zeros() -> None:
    expected = (ZERO_ADDRESS, 0, 0, bytes(32), ZERO_ADDRESS, ZERO_ADDRESS, ZERO_ADDRESS, bytes(32), b"")
    assert NO_DATASET.calldata() == expected


def test_two_orders_differ_by_their_salt() -> None:
    assert AppOrder(app=A).hash(DOMAIN) != AppOrder(app=A).hash(DOMAIN)


@pytest.mark.parametrize(
    "value", [float("inf"), float("nan"), 1.5, -1, 2**256, "-1", "x", "9" * 5_000, True, None, []]
)
def test_a_number_that_no_contract_takes_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"volume|invalid literal|digits"):
        AppOrder.from_json(AppOrder(app=A).to_json() | {"volume": value})


@pytest.mark.parametrize("name", ["app", "tag", "salt", "sign"])
@pytest.mark.parametrize("value", [10**12, 32, [0] * 32, None, {}, "0x" + "zz" * 32])
def test_bytes_that_are_no_text_are_refused_without_memory_for_them(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"{name} must be text|hexadecimal"):
        AppOrder.from_json(AppOrder(app=A).to_json() | {name: value})


def test_an_incomplete_order_is_refused() -> None:
    with pytest.raises(KeyError):
        AppOrder.from_json({"app": A})
