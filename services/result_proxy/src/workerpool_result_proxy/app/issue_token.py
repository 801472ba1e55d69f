"""The use case that issues a token for an authorization."""

from dataclasses import replace
from datetime import UTC, datetime

from workerpool_kit.access.tokens import Tokens
from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import Address

from workerpool_result_proxy.app.challenge import Challenges
from workerpool_result_proxy.app.ports import ChainView, Store
from workerpool_result_proxy.domain.token_rules import check_older_request, check_on_chain, check_request
from workerpool_result_proxy.errors import TooManyAuthorizations

WORKER_ROLE = "worker"
"""The role of a token that may upload results of the tasks for which its wallet is authorized."""
MOST_WORKERS = 64
"""The largest number of authorizations stored for a task. Only one worker uploads the result.

The owner of any pool can sign for any number of wallets at no cost, so without a limit the database could be filled.
"""

log = get_logger()


class IssueToken:
    """The check and storage of an authorization, and the token for its wallet."""

    def __init__(
        self,
        chain: ChainView,
        store: Store,
        tokens: Tokens,
        challenges: Challenges,
        clock: Clock,
        *,
        only_pool: Address | None,
    ) -> None:
        """Create the use case; `only_pool` limits the proxy to the deals of one workerpool."""
        self._chain = chain
        self._store = store
        self._tokens = tokens
        self._challenges = challenges
        self._clock = clock
        self._only_pool = only_pool

    async def issue(
        self, authorization: WorkerpoolAuthorization, worker_signature: bytes, *, audience: str, nonce: bytes
    ) -> tuple[str, int]:
        """Return a token and its expiry in Unix seconds; `audience` and `nonce` are those of the challenge.

        The token identifies the wallet. Each upload needs a stored authorization, so one token serves all tasks whose
        authorizations were submitted. Raises the refusal of the first violated rule.
        """
        await self._challenges.check(authorization.worker, authorization.task_id, audience, nonce)
        check_request(authorization, worker_signature, audience=audience, nonce=nonce)
        return await self._issue(authorization)

    async def issue_to_older_client(
        self, authorization: WorkerpoolAuthorization, worker_signature: bytes
    ) -> tuple[str, int]:
        """Return a token and its expiry for an authorization that was signed without a challenge; see `issue`."""
        check_older_request(authorization, worker_signature)
        return await self._issue(authorization)

    async def _issue(self, authorization: WorkerpoolAuthorization) -> tuple[str, int]:
        task = await self._chain.task(authorization.task_id)
        deal = await self._chain.deal(task.deal_id)
        now = self._clock.now()
        check_on_chain(authorization, task, deal, now=now, only_pool=self._only_pool)
        kept = await self._store.keep_authorization(
            replace(authorization, deal_id=task.deal_id),
            expires_at=datetime.fromtimestamp(task.final_deadline, UTC),
            most=MOST_WORKERS,
        )
        if not kept:
            raise TooManyAuthorizations(
                f"{MOST_WORKERS} other workers have asked for a token for this task, which is the most; one of them "
                "uploads its result"
            )
        token = await self._tokens.issue(authorization.worker, frozenset({WORKER_ROLE}))
        log.info("token.issued", task=authorization.task_id, worker=authorization.worker)
        return token, int((await self._tokens.claims(token))["exp"])
