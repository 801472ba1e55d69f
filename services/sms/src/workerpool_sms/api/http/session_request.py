"""The body of `POST /tee/sessions`: the old stack's WorkerpoolAuthorization, with a challenge's audience and nonce."""

from typing import Annotated

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from workerpool_kit.http.bodies import read_body
from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import address, bytes32, from_hex, parse_deal_id, parse_task_id

from workerpool_sms.errors import InvalidRequest, NotSelfSigned

_MAX_BYTES = 16 << 10
Bytes32 = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{64}$")]
EthAddress = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{40}$")]


class _Signature(BaseModel):
    value: Annotated[str, Field(max_length=256)]


class _Body(BaseModel):
    chainTaskId: Bytes32
    dealId: Bytes32 = "0x" + "00" * 32
    taskIndex: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    workerWallet: EthAddress
    enclaveChallenge: EthAddress
    signature: _Signature
    audience: Annotated[str, Field(max_length=512)] = ""
    nonce: Bytes32 | None = None


async def parse_session_request(request: Request) -> tuple[WorkerpoolAuthorization, bytes, str, bytes]:
    """Return authorization, worker's signature, audience and nonce.

    Raises InvalidRequest for a malformed body, and NotSelfSigned for one without a challenge, because another service
    could have obtained a signature without it.
    """
    try:
        body = _Body.model_validate_json(await read_body(request, _MAX_BYTES))
        authorization = WorkerpoolAuthorization(
            worker=address(body.workerWallet),
            task_id=parse_task_id(body.chainTaskId),
            enclave_challenge=address(body.enclaveChallenge),
            deal_id=parse_deal_id(body.dealId),
            task_index=body.taskIndex,
            signature=from_hex(body.signature.value),
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise InvalidRequest(
            f"{where}: {first['msg']}; send the authorization of the scheduler as JSON"
        ) from None
    except InvalidId:
        raise InvalidRequest("signature.value is not hexadecimal; send the authorization as it is") from None
    if body.nonce is None or not body.audience:
        raise NotSelfSigned(
            "audience and nonce are missing; get both from /tee/sessions/challenge, sign them with the "
            "authorization and send them in the body"
        )
    try:
        signature = from_hex(request.headers.get("authorization", ""))
    except InvalidId:
        signature = b""
    return authorization, signature, body.audience, bytes32(body.nonce)
