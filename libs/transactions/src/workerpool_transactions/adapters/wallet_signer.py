"""The `Signer` port over a wallet whose key this process holds."""

from workerpool_poco.chain.wallet import Transaction, Wallet
from workerpool_poco.protocol.ids import Address, to_hex

from workerpool_transactions.domain.entry import Call, Offer, Version


class WalletSigner:
    """Signs calls for one chain; nothing is sent."""

    def __init__(self, wallet: Wallet, chain_id: int) -> None:
        self._wallet = wallet
        self._chain_id = chain_id

    @property
    def address(self) -> Address:
        """The wallet's address."""
        return self._wallet.address

    def sign(self, nonce: int, call: Call, offer: Offer) -> Version:
        """Sign a call under a nonce: of type 2 with a tip (EIP-1559), legacy without one (EIP-155)."""
        signed = self._wallet.sign_transaction(
            Transaction(
                nonce=nonce,
                gas_price=offer.max_fee,
                gas=call.gas,
                to=call.to,
                value=call.value,
                data=call.data,
                chain_id=self._chain_id,
                tip=offer.tip,
            )
        )
        return Version(to_hex(signed.hash), signed.raw, offer)
