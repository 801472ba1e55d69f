"""gRPC `workerpool.sms.v1.SecretService`; every method is public, and the owner of a secret signs each write."""

from typing import Any, TypeAlias

import grpc
from workerpool_kit.access.authenticators import ANYONE
from workerpool_poco.protocol.ids import from_hex
from workerpool_protocol.sms.v1 import secret_service_pb2 as pb
from workerpool_protocol.sms.v1.secret_service_pb2_grpc import SecretServiceServicer

from workerpool_sms.app.secrets import Secrets
from workerpool_sms.domain.secrets import SecretKind, SecretName

SERVICE = "workerpool.sms.v1.SecretService"
POLICY = {f"/{SERVICE}/{method}": frozenset({ANYONE}) for method in ("SetSecret", "HasSecret")}

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_KINDS = {
    pb.SECRET_KIND_WEB3: SecretKind.WEB3,
    pb.SECRET_KIND_WEB2: SecretKind.WEB2,
    pb.SECRET_KIND_APP_DEVELOPER: SecretKind.APP_DEVELOPER,
    pb.SECRET_KIND_REQUESTER: SecretKind.REQUESTER,
}


class SecretServicer(SecretServiceServicer):
    """The service that secret_service.proto documents."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    async def SetSecret(self, request: pb.SetSecretRequest, context: Context) -> pb.SetSecretResponse:
        """Store a secret."""
        signature = from_hex(request.signature)
        await self._secrets.set(_name(request.name), request.value, signature, replace=request.replace)
        return pb.SetSecretResponse()

    async def HasSecret(self, request: pb.HasSecretRequest, context: Context) -> pb.HasSecretResponse:
        """Return whether a secret exists."""
        return pb.HasSecretResponse(exists=await self._secrets.exists(_name(request.name)))


def _name(name: pb.SecretName) -> SecretName:
    return SecretName.parse(_KINDS[name.kind], name.address, name.key)
