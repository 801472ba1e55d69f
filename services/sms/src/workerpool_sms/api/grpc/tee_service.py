"""gRPC `workerpool.sms.v1.TeeService`; every method is public, and pool owner and worker sign their requests."""

from typing import Any, TypeAlias

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from workerpool_kit.access.authenticators import ANYONE
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import (
    address,
    bytes32,
    from_hex,
    parse_deal_id,
    parse_task_id,
    to_hex,
)
from workerpool_protocol.poco.v1 import authorization_pb2
from workerpool_protocol.registry.v1 import platform_service_pb2 as registry_pb
from workerpool_protocol.sms.v1 import tee_service_pb2 as pb
from workerpool_protocol.sms.v1.tee_service_pb2_grpc import TeeServiceServicer

from workerpool_sms.app.enclave_challenges import EnclaveChallenges
from workerpool_sms.app.session_challenges import SessionChallenges
from workerpool_sms.app.sessions import Sessions
from workerpool_sms.domain.frameworks import EnclaveImage, Framework, FrameworkProperties

SERVICE = "workerpool.sms.v1.TeeService"
_METHODS = (
    "GetFramework",
    "GetServiceProperties",
    "CreateChallenge",
    "CreateSessionChallenge",
    "CreateSession",
)
POLICY = {f"/{SERVICE}/{method}": frozenset({ANYONE}) for method in _METHODS}

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_FRAMEWORKS = {
    registry_pb.TEE_FRAMEWORK_SCONE: Framework.SCONE,
    registry_pb.TEE_FRAMEWORK_GRAMINE: Framework.GRAMINE,
    registry_pb.TEE_FRAMEWORK_TDX: Framework.TDX,
}
_VALUES = {framework: value for value, framework in _FRAMEWORKS.items()}


class TeeServicer(TeeServiceServicer):
    """The service that tee_service.proto documents."""

    def __init__(
        self,
        properties: FrameworkProperties,
        enclave_challenges: EnclaveChallenges,
        session_challenges: SessionChallenges,
        sessions: Sessions,
    ) -> None:
        self._properties = properties
        self._enclave_challenges = enclave_challenges
        self._session_challenges = session_challenges
        self._sessions = sessions

    async def GetFramework(
        self, request: pb.GetFrameworkRequest, context: Context
    ) -> pb.GetFrameworkResponse:
        """Return the framework."""
        return pb.GetFrameworkResponse(framework=_VALUES[self._properties.framework])

    async def GetServiceProperties(
        self, request: pb.GetServicePropertiesRequest, context: Context
    ) -> pb.GetServicePropertiesResponse:
        """Return the images of a version."""
        found = self._properties.of_version(_FRAMEWORKS[request.framework], request.version)
        return pb.GetServicePropertiesResponse(
            pre_compute=_image(found.pre_compute),
            post_compute=_image(found.post_compute),
            las_image=found.las_image,
        )

    async def CreateChallenge(
        self, request: pb.CreateChallengeRequest, context: Context
    ) -> pb.CreateChallengeResponse:
        """Return the enclave challenge of a task."""
        made = await self._enclave_challenges.create(
            parse_task_id(request.task_id), from_hex(request.signature)
        )
        return pb.CreateChallengeResponse(enclave_challenge=made)

    async def CreateSessionChallenge(
        self, request: pb.CreateSessionChallengeRequest, context: Context
    ) -> pb.CreateSessionChallengeResponse:
        """Return the challenge that a worker signs."""
        made = self._session_challenges.create(
            address(request.wallet_address), parse_task_id(request.task_id)
        )
        return pb.CreateSessionChallengeResponse(
            audience=made.audience, nonce=to_hex(made.nonce), expires_at=Timestamp(seconds=made.expires_at)
        )

    async def CreateSession(
        self, request: pb.CreateSessionRequest, context: Context
    ) -> pb.CreateSessionResponse:
        """Create a session."""
        created = await self._sessions.create(
            _authorization(request.authorization),
            from_hex(request.worker_signature),
            audience=request.audience,
            nonce=bytes32(request.nonce),
        )
        return pb.CreateSessionResponse(
            session_id=created.session_id,
            secret_provisioning_url=created.provisioning_url,
            unattested=created.unattested,
        )


def _image(image: EnclaveImage) -> pb.EnclaveImage:
    return pb.EnclaveImage(
        image=image.image,
        fingerprint=image.fingerprint,
        entrypoint=image.entrypoint,
        heap_bytes=image.heap_bytes,
    )


def _authorization(given: authorization_pb2.WorkerpoolAuthorization) -> WorkerpoolAuthorization:
    return WorkerpoolAuthorization(
        worker=address(given.worker_wallet),
        task_id=parse_task_id(given.task_id),
        enclave_challenge=address(given.enclave_challenge),
        deal_id=parse_deal_id(given.deal_id),
        task_index=given.task_index,
        signature=from_hex(given.signature),
    )
