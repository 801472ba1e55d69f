from workerpool_poco.chain.signed_transactions import decode_transaction
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import to_hex
from workerpool_transactions.adapters.wallet_signer import WalletSigner
from workerpool_transactions.domain.entry import Call, Offer

WALLET = Wallet.from_key("11" * 32)
HUB = "0x" + "35" * 20


def test_an_offer_with_a_tip_is_signed_as_type_2() -> None:
    version = WalletSigner(WALLET, 42161).sign(7, Call(HUB, b"data", 90_000, value=3), Offer(200, 1))
    signed, signer = decode_transaction(version.raw)
    fields = signed.transaction
    assert (fields.gas_price, fields.tip, fields.gas, fields.nonce) == (200, 1, 90_000, 7)
    assert (fields.to, fields.data, fields.value, fields.chain_id) == (HUB, b"data", 3, 42161)
    assert (version.hash, version.offer, signer) == (to_hex(signed.hash), Offer(200, 1), WALLET.address)


def test_an_offer_without_a_tip_is_signed_as_legacy() -> None:
    version = WalletSigner(WALLET, 134).sign(7, Call(HUB, b"", 21_000), Offer(0))
    signed, _ = decode_transaction(version.raw)
    assert (signed.transaction.tip, signed.transaction.gas_price) == (None, 0)
