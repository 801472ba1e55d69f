"""The inputs of a session's environments, read from the chain, the stored secrets and IPFS."""

from collections.abc import Sequence

from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import Address, TaskId, to_hex
from workerpool_poco.protocol.model import ChainTask, Deal

from workerpool_sms.app.ports import BulkSource, ChainView
from workerpool_sms.app.secrets import Secrets
from workerpool_sms.domain.secrets import (
    APP_SECRET_INDEX,
    DROPBOX_TOKEN,
    IPFS_TOKEN,
    RESULT_ENCRYPTION_KEY,
    RESULT_PROXY_URL,
    SecretKind,
    SecretName,
)
from workerpool_sms.domain.session.bulk import SessionDataset, dataset_orders, is_cid, slice_cid
from workerpool_sms.domain.session.environments import (
    ResultStorage,
    SessionInputs,
    wanted_requester_secrets,
)
from workerpool_sms.errors import (
    BeneficiaryKeyMissing,
    DatasetSecretMissing,
    InvalidSecretName,
    StorageTokenMissing,
)

log = get_logger()

_DROPBOX, _IPFS = "dropbox", "ipfs"


class SessionInputReader:
    """The reader of sessions' inputs."""

    def __init__(self, secrets: Secrets, chain: ChainView, bulk: BulkSource) -> None:
        self._secrets = secrets
        self._chain = chain
        self._bulk = bulk

    async def read(
        self, task_id: TaskId, task: ChainTask, deal: Deal, worker: Address, signing_key: bytes
    ) -> SessionInputs:
        """Return the inputs of a worker's run; `signing_key` is the private key of the enclave challenge (32 bytes).

        Raises DatasetSecretMissing, BeneficiaryKeyMissing or StorageTokenMissing. A missing secret of the app's
        developer or of the requester is omitted.
        """
        params = DealParams.parse(deal.params)
        return SessionInputs(
            task_id=task_id,
            deal_id=deal.deal_id,
            task_index=task.index,
            bot_first=deal.bot_first,
            bot_size=deal.bot_size,
            worker=worker,
            params=params,
            has_callback=deal.has_callback,
            signing_key=to_hex(signing_key),
            dataset=await self._dataset(deal.dataset.pointer) if deal.has_dataset else None,
            bulk=await self._bulk_datasets(params.bulk_cid, deal, task.index) if params.bulk_cid else None,
            app_secret=await self._value(SecretKind.APP_DEVELOPER, deal.app.pointer, APP_SECRET_INDEX),
            requester_secrets=await self._requester_secrets(params, deal.requester),
            encryption_key=await self._encryption_key(params, deal),
            storage=ResultStorage() if deal.has_callback else await self._storage(params, deal, worker),
        )

    async def _value(self, kind: SecretKind, owner: Address, key: str = "") -> str | None:
        return await self._secrets.read(SecretName.parse(kind, owner, key))

    async def _dataset(self, dataset: Address) -> SessionDataset:
        key = await self._value(SecretKind.WEB3, dataset)
        if key is None:
            raise DatasetSecretMissing(
                f"the key of dataset {dataset} is not stored here; its owner must push it (iexec dataset push-secret)"
            )
        found = await self._chain.dataset(dataset)
        return SessionDataset(dataset, found.multiaddr, to_hex(found.checksum), key)

    async def _bulk_datasets(self, cid: str, deal: Deal, index: int) -> Sequence[SessionDataset]:
        """Return the datasets of one task, without those that lack a valid order or a secret."""
        part = slice_cid(await self._bulk.read(cid), index - deal.bot_first) if is_cid(cid) else None
        orders = dataset_orders(await self._bulk.read(part)) if part is not None else []
        found = []
        for order in orders:
            problem = ""
            if not await self._chain.fits_deal(order, deal.deal_id):
                problem = "its order is not valid for the deal"
            else:
                try:
                    found.append(await self._dataset(order.dataset))
                except DatasetSecretMissing:
                    problem = "its key is not stored"
            if problem:
                log.warning("bulk.dataset_dropped", deal=deal.deal_id, dataset=order.dataset, problem=problem)
        return found

    async def _requester_secrets(self, params: DealParams, requester: Address) -> dict[int, str]:
        found = {}
        for index, key in wanted_requester_secrets(params).items():
            try:
                value = await self._value(SecretKind.REQUESTER, requester, key)
            except InvalidSecretName:
                continue
            if value is not None:
                found[index] = value
        return found

    async def _encryption_key(self, params: DealParams, deal: Deal) -> str:
        if not params.result_encryption:
            return ""
        key = await self._value(SecretKind.WEB2, deal.beneficiary, RESULT_ENCRYPTION_KEY)
        if key is None:
            raise BeneficiaryKeyMissing(
                f"the deal requires an encrypted result, and {deal.beneficiary} stored no public key here; it must "
                "push one (iexec result push-encryption-key)"
            )
        return key

    async def _storage(self, params: DealParams, deal: Deal, worker: Address) -> ResultStorage:
        if params.result_storage_provider == _DROPBOX:
            token = await self._value(SecretKind.WEB2, deal.requester, DROPBOX_TOKEN)
            if token is None:
                raise StorageTokenMissing(
                    f"the result goes to Dropbox, and {deal.requester} stored no token here; it must push one "
                    "(iexec storage init dropbox)"
                )
            return ResultStorage(_DROPBOX, "", token)
        for owner in (worker, deal.requester):
            token = await self._value(SecretKind.WEB2, owner, IPFS_TOKEN)
            if token is not None:
                return ResultStorage(_IPFS, await self._proxy(params, deal.workerpool.owner), token)
        raise StorageTokenMissing(
            f"neither the worker {worker} nor {deal.requester} stored a token of the result proxy here; the worker "
            "must push its own, or the requester theirs (iexec storage init)"
        )

    async def _proxy(self, params: DealParams, pool_owner: Address) -> str:
        if params.result_storage_proxy:
            return params.result_storage_proxy
        return await self._value(SecretKind.WEB2, pool_owner, RESULT_PROXY_URL) or ""
