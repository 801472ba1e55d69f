"""Who stored how many secrets, and the removal of what one wallet stored, because any wallet may store some."""

import asyncio
import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from workerpool_kit.logs import get_logger
from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.encoding.json_text import loads_bounded
from workerpool_poco.protocol.ids import Address, address

from workerpool_sms.app.gate import Gate
from workerpool_sms.app.ports import ChainView, SecretStore
from workerpool_sms.app.secrets import ExistenceCache
from workerpool_sms.domain.limits import OwnerPosition, StoredByWallet
from workerpool_sms.domain.secrets import OWNED_BY_WALLET, SecretKind
from workerpool_sms.errors import ChainUnreachable, InvalidRequest

log = get_logger()

MAX_PAGE = 100
"""Most wallets of a page: the deposit of each is read from the chain."""
_MAX_STORED = 2**63


@dataclass(frozen=True, slots=True)
class SecretOwner:
    """A wallet with secrets, and its deposit in the hub in nRLC; None while the chain cannot be read."""

    stored: StoredByWallet
    deposit: int | None


class SecretOwners:
    """The operator's view of the wallets that stored secrets."""

    def __init__(self, store: SecretStore, chain: ChainView, gate: Gate, cache: ExistenceCache) -> None:
        self._store = store
        self._chain = chain
        self._gate = gate
        self._cache = cache

    async def page(self, page_token: str, size: int) -> tuple[list[SecretOwner], str]:
        """Return up to `size` wallets, those with the most secrets first, and the token of the next page.

        Raises InvalidRequest, and RestoreRunning during a restore.
        """
        if not 1 <= size <= MAX_PAGE:
            raise InvalidRequest(f"pageSize must be a number from 1 to {MAX_PAGE}")
        with self._gate.use():
            found = await self._store.owners(_position(page_token), size + 1)
        page = found[:size]
        deposits = await self._deposits([each.wallet for each in page])
        token = _token(page[-1]) if len(found) > size else ""
        return [SecretOwner(each, deposit) for each, deposit in zip(page, deposits, strict=True)], token

    async def _deposits(self, wallets: Sequence[Address]) -> Sequence[int | None]:
        try:
            return await asyncio.gather(*(self._chain.deposit(wallet) for wallet in wallets))
        except ChainUnreachable:
            return [None] * len(wallets)

    async def remove(self, wallet: str, *, contracts: bool) -> int:
        """Remove the secrets of a wallet; with `contracts` also those of its datasets and apps. Return their number.

        Raises InvalidRequest, and AdminRunning or RestoreRunning while another admin method runs.
        """
        try:
            owner = address(wallet)
        except InvalidId as problem:
            raise InvalidRequest(f"wallet: {problem}") from None
        kinds = frozenset(SecretKind) if contracts else OWNED_BY_WALLET
        async with self._gate.admin("a removal of secrets"):
            removed = await self._store.remove(owner, kinds)
            self._cache.clear()
        log.info("audit.secrets_removed", wallet=owner, contracts=contracts, removed=removed)
        return removed


def _token(last: StoredByWallet) -> str:
    return base64.urlsafe_b64encode(f'[{last.secrets},"{last.wallet}"]'.encode()).decode()


def _position(token: str) -> OwnerPosition | None:
    if not token:
        return None
    try:
        secrets, wallet = loads_bounded(base64.urlsafe_b64decode(token.encode()))
        if type(secrets) is int and abs(secrets) < _MAX_STORED:
            return OwnerPosition(secrets, address(wallet))
    except (ValueError, TypeError, AttributeError, binascii.Error, InvalidId):
        pass
    raise InvalidRequest("pageToken is not from this SMS; start again without one")
