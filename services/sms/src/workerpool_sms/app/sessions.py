"""The creation of a session for a worker's run of a task."""

import secrets as random_source
from collections.abc import Callable, Iterable, Iterator

from workerpool_kit.clock import Clock
from workerpool_kit.errors import WorkerpoolError
from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.model import Deal

from workerpool_sms.app.enclave_challenges import EnclaveChallenges
from workerpool_sms.app.gate import Gate
from workerpool_sms.app.ports import ChainView, SessionBackend
from workerpool_sms.app.session_challenges import SessionChallenges
from workerpool_sms.app.session_inputs import SessionInputReader
from workerpool_sms.domain.frameworks import FrameworkProperties, ServiceProperties
from workerpool_sms.domain.session.created import CreatedSession
from workerpool_sms.domain.session.rules import check_on_chain, check_request
from workerpool_sms.domain.session.session import app_image, build_session, session_id_of
from workerpool_sms.errors import (
    AttestationUnavailable,
    SessionFailed,
    SessionNotFound,
    SessionRefused,
    SignatureTokensMissing,
    UnknownFrameworkVersion,
)

log = get_logger()


def random_numbers() -> Iterator[int]:
    """Yield unpredictable numbers for session ids."""
    while True:
        yield random_source.randbelow(62)


class Sessions:
    """The transfer of a task's secrets to its enclave, through the service of the TEE framework."""

    def __init__(
        self,
        chain: ChainView,
        challenges: SessionChallenges,
        enclave_challenges: EnclaveChallenges,
        inputs: SessionInputReader,
        backend: SessionBackend,
        gate: Gate,
        clock: Clock,
        *,
        properties: FrameworkProperties,
        allow_unattested: bool,
        random: Callable[[], Iterable[int]] = random_numbers,
    ) -> None:
        """Create the use case; `allow_unattested` admits a backend that verifies no enclave."""
        self._chain = chain
        self._challenges = challenges
        self._enclave_challenges = enclave_challenges
        self._inputs = inputs
        self._backend = backend
        self._gate = gate
        self._clock = clock
        self._properties = properties
        self._allow_unattested = allow_unattested
        self._random = random

    async def create(
        self,
        authorization: WorkerpoolAuthorization,
        worker_signature: bytes,
        *,
        audience: str,
        nonce: bytes,
    ) -> CreatedSession:
        """Create a session. Raises the refusal of the first violated rule.

        The order: verification of the enclave, challenge, worker's signature, chain, enclave key, content.
        """
        if not (self._backend.attested or self._allow_unattested):
            raise AttestationUnavailable(
                "this SMS cannot verify enclaves yet and releases no secrets to unverified ones; use a standard task"
            )
        try:
            with self._gate.use():
                return await self._create(authorization, worker_signature, audience=audience, nonce=nonce)
        except SessionRefused as refused:
            log.warning(
                "session.refused",
                task=authorization.task_id,
                worker=authorization.worker,
                reason=refused.reason,
                problem=refused.message,
            )
            raise

    async def _create(
        self,
        authorization: WorkerpoolAuthorization,
        worker_signature: bytes,
        *,
        audience: str,
        nonce: bytes,
    ) -> CreatedSession:
        task_id, worker = authorization.task_id, authorization.worker
        self._challenges.check(worker, task_id, audience, nonce)
        check_request(authorization, worker_signature, audience=audience, nonce=nonce)
        task = await self._chain.task(task_id)
        deal = await self._chain.deal(task.deal_id)
        check_on_chain(authorization, task, deal, self._properties.framework, now=self._clock.now())
        key = await self._signing_key(authorization)
        app = await self._chain.app(deal.app.pointer)
        image, version = app_image(app.multiaddr, app.mrenclave, self._properties.framework)
        properties = self._images(version, deal)
        inputs = await self._inputs.read(task_id, task, deal, worker, key)
        session_id = session_id_of(task_id, self._random())
        session = build_session(session_id, self._properties.framework, inputs, image, properties)
        try:
            url = await self._backend.create(session, expires_at=task.final_deadline)
        except WorkerpoolError:
            raise
        except OSError as error:
            raise SessionFailed(f"the session could not be stored ({type(error).__name__}); retry") from error
        if not url:
            raise SessionNotFound("the service of the TEE framework stored no session; retry")
        unattested = not self._backend.attested
        log.info(
            "audit.session_created_unattested" if unattested else "audit.session_created",
            task=task_id,
            worker=worker,
            session=session_id,
            unattested=unattested,
        )
        return CreatedSession(session_id, url, unattested)

    async def _signing_key(self, authorization: WorkerpoolAuthorization) -> bytes:
        key = await self._enclave_challenges.private_key(
            authorization.task_id, authorization.enclave_challenge
        )
        if key is None:
            raise SignatureTokensMissing(
                "this SMS made no such enclave challenge for the task; use the SMS in the scheduler's assignment"
            )
        return key

    def _images(self, version: str, deal: Deal) -> ServiceProperties:
        found = self._properties.versions.get(version) if version else self._properties.default
        if found is None:
            wanted = f"version {version}" if version else "any version"
            raise UnknownFrameworkVersion(
                f"this SMS has no images for {wanted} of {self._properties.framework.label}, which app "
                f"{deal.app.pointer} needs; the operator must add them to WORKERPOOL_SMS_TEE_PROPERTIES"
            )
        return found
