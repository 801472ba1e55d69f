"""The documented HTTP endpoints of the iExec blockchain adapter, for schedulers without gRPC.

Responses follow that documentation: 200 with the task id, 400 for a refusal, 404 for an unknown command. Every endpoint
requires HTTP basic authentication.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from workerpool_kit.access.authenticators import Authenticator
from workerpool_kit.errors import Kind, PermissionDenied, Unauthenticated
from workerpool_kit.grpc.validation import validate
from workerpool_kit.http.answers import refusal
from workerpool_kit.http.bodies import read_body
from workerpool_poco.protocol.encoding.json_text import loads_bounded
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb

from workerpool_chain_adapter.app.commands import Commands
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind
from workerpool_chain_adapter.errors import BadArgument, ChainAdapterError

_REFUSALS = frozenset({Kind.INVALID, Kind.NOT_FOUND, Kind.PRECONDITION})

Handler = Callable[[Request], Awaitable[Response]]


def routes(commands: Commands, authenticator: Authenticator, *, mutual_tls: bool = False) -> list[Route]:
    """Return `/v1/tasks/{initialize,finalize}` and their `/status`.

    With `mutual_tls` they are refused, because only the gRPC port requires a client certificate.
    """

    async def initialize(request: Request) -> Response:
        index = request.query_params.get("taskIndex", "")
        # Check the length first, because `int` raises for thousands of digits.
        if not (index.isascii() and index.isdigit() and len(index) <= 10 and int(index) < 2**32):
            raise BadArgument("taskIndex: expected an integer from 0 to 4294967295")
        message = pb.InitializeRequest(
            deal_id=request.query_params.get("chainDealId", ""), task_index=int(index)
        )
        validate(message)
        return _task_id(await commands.initialize(DealId(message.deal_id), message.task_index))

    async def finalize(request: Request) -> Response:
        try:
            body = loads_bounded(await read_body(request))
            message = pb.FinalizeRequest(
                task_id=request.path_params["task"],
                result_link=body["resultLink"],
                callback_data=body.get("callbackData") or "",
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadArgument('expected a body such as {"resultLink": "…", "callbackData": "0x…"}') from error
        validate(message)
        return _task_id(
            await commands.finalize(TaskId(message.task_id), message.result_link, message.callback_data)
        )

    def status(kind: CommandKind) -> Handler:
        async def show(request: Request) -> Response:
            command = await commands.get(CommandKey(request.path_params["task"], kind))
            return JSONResponse(command.state.value)

        return show

    def guarded(handler: Handler, *, refuse_with_400: bool = True) -> Handler:
        async def handle(request: Request) -> Response:
            if mutual_tls:
                raise PermissionDenied(
                    "with WORKERPOOL_TLS_CLIENT_CA only the gRPC port accepts commands; use it with a certificate"
                )
            if await authenticator.authenticate({k.lower(): v for k, v in request.headers.items()}) is None:
                raise Unauthenticated("send user name and password (HTTP basic)")
            try:
                return await handler(request)
            except ChainAdapterError as error:
                if not (refuse_with_400 and error.kind in _REFUSALS):
                    raise
                return refusal(error, 400)

        return handle

    return [
        Route("/v1/tasks/initialize", guarded(initialize), methods=["POST"]),
        Route("/v1/tasks/finalize/{task}", guarded(finalize), methods=["POST"]),
        *(
            Route(f"/v1/tasks/{kind.lower()}/{{task}}/status", guarded(status(kind), refuse_with_400=False))
            for kind in (CommandKind.INITIALIZE, CommandKind.FINALIZE)
        ),
    ]


def _task_id(command: Command) -> Response:
    return JSONResponse(command.key.task_id)
