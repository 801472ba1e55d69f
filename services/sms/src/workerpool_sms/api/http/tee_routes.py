"""HTTP routes of frameworks, challenges and sessions (worker spec D)."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from workerpool_kit.access import audit
from workerpool_kit.errors import Kind
from workerpool_kit.http.answers import HTTP_STATUS, refusal
from workerpool_kit.targets import host_and_port
from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.ids import TaskId, address, from_hex, parse_task_id, to_hex

from workerpool_sms.api.http.session_request import parse_session_request
from workerpool_sms.app.enclave_challenges import EnclaveChallenges
from workerpool_sms.app.session_challenges import SessionChallenges
from workerpool_sms.app.sessions import Sessions
from workerpool_sms.app.unattested_sessions import UnattestedSessions
from workerpool_sms.domain.frameworks import (
    EnclaveImage,
    Framework,
    FrameworkProperties,
    ServiceProperties,
)
from workerpool_sms.errors import InvalidRequest, SessionRefused, SmsError, UnknownFrameworkVersion

_REFUSED_CALLER = frozenset({Kind.UNAUTHENTICATED, Kind.PERMISSION})
_NOT_AUTHORIZED = "EXECUTION_NOT_AUTHORIZED_"
"""The prefix of the protocol's causes for a run that the chain does not authorize."""


def routes(
    properties: FrameworkProperties,
    enclave_challenges: EnclaveChallenges,
    session_challenges: SessionChallenges,
    sessions: Sessions,
    unattested: UnattestedSessions,
) -> list[Route]:
    """Return the routes below `/tee`."""

    async def framework(_request: Request) -> Response:
        return JSONResponse(properties.framework.label)

    async def service_properties(request: Request) -> Response:
        try:
            wanted = Framework(request.path_params["framework"].lower())
        except ValueError:
            known = ", ".join(each.label for each in Framework)
            raise UnknownFrameworkVersion(f"there is no such TEE framework; use one of {known}") from None
        version = request.path_params.get("version") or (
            properties.default.version if properties.default else ""
        )
        return JSONResponse(_properties(wanted, properties.of_version(wanted, version)))

    async def challenge(request: Request) -> Response:
        try:
            signature = from_hex(request.headers.get("authorization", ""))
        except InvalidId:
            signature = b""
        try:
            made = await enclave_challenges.create(_task(request.path_params["task_id"]), signature)
        except SessionRefused as refused:
            return _refused(request, refused)
        return PlainTextResponse(made)

    async def session_challenge(request: Request) -> Response:
        try:
            worker = address(request.query_params.get("walletAddress", ""))
        except InvalidId:
            raise InvalidRequest(
                "walletAddress is not 0x and 40 hexadecimal digits; send the wallet of the worker"
            ) from None
        made = session_challenges.create(worker, _task(request.query_params.get("chainTaskId", "")))
        return JSONResponse(
            {"audience": made.audience, "nonce": to_hex(made.nonce), "expiresAt": made.expires_at}
        )

    async def create_session(request: Request) -> Response:
        try:
            authorization, signature, audience, nonce = await parse_session_request(request)
            created = await sessions.create(authorization, signature, audience=audience, nonce=nonce)
        except SmsError as refused:
            # Clients of this path read the protocol's cause from `error`.
            body = {"error": refused.reason, "code": refused.reason, "message": refused.message}
            return JSONResponse(body, _status(refused))
        data = {"sessionId": created.session_id, "secretProvisioningUrl": created.provisioning_url}
        return JSONResponse({"data": data | {"unattested": created.unattested}})

    async def claim_session(request: Request) -> Response:
        content = await unattested.claim(request.path_params["session_id"])
        return Response(content, media_type="application/json", headers={"Cache-Control": "no-store"})

    return [
        Route("/tee/framework", framework),
        Route("/tee/properties/{framework}", service_properties),
        Route("/tee/properties/{framework}/{version}", service_properties),
        Route("/tee/challenges/{task_id}", challenge, methods=["POST"]),
        Route("/tee/sessions/challenge", session_challenge),
        Route("/tee/sessions", create_session, methods=["POST"]),
        # POST, so that no browser or proxy repeats the read: only the first reader gets the session.
        Route("/tee/sessions/{session_id}", claim_session, methods=["POST"]),
    ]


def _status(error: SmsError) -> int:
    """Return the status in the documented API: 401 for an unauthorized run, 404 for an unknown task."""
    if error.kind is Kind.NOT_FOUND:
        return 404
    refused = error.kind in _REFUSED_CALLER or error.reason.startswith(_NOT_AUTHORIZED)
    return 401 if refused else HTTP_STATUS[error.kind]


def _refused(request: Request, error: SmsError) -> Response:
    status = _status(error)
    if status == 401:
        peer = host_and_port(request.client.host, request.client.port) if request.client else "unknown"
        audit.access_refused(f"{request.method} {request.url.path}", error.reason, error.message, peer)
    return refusal(error, status)


def _task(text: str) -> TaskId:
    try:
        return parse_task_id(text)
    except InvalidId:
        raise InvalidRequest("the task id is not 0x and 64 hexadecimal digits; correct it") from None


def _properties(framework: Framework, found: ServiceProperties) -> dict[str, object]:
    body: dict[str, object] = {
        "teeFramework": framework.label,
        "teeFrameworkVersion": found.version,
        "preComputeProperties": _image(found.pre_compute),
        "postComputeProperties": _image(found.post_compute),
    }
    return body | ({"lasImage": found.las_image} if framework is Framework.SCONE else {})


def _image(image: EnclaveImage) -> dict[str, object]:
    return {
        "image": image.image,
        "fingerprint": image.fingerprint,
        "entrypoint": image.entrypoint,
        "heapSizeInBytes": image.heap_bytes,
    }
