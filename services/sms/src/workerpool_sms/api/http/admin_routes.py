"""HTTP routes of the operator: backup and restore (worker spec D, admin), and the wallets that stored secrets.

Each request needs the header X-API-KEY.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workerpool_sms.app.backups import AdminAccess, Backups
from workerpool_sms.app.secret_owners import MAX_PAGE, SecretOwner, SecretOwners


def routes(access: AdminAccess, backups: Backups, owners: SecretOwners) -> list[Route]:
    """Return the routes below `/admin`; a storage is the hexadecimal path of a folder in the admin storage."""

    def check(request: Request) -> None:
        access.check(request.headers.get("x-api-key", ""))

    async def create(request: Request) -> Response:
        check(request)
        return JSONResponse({"rows": await backups.create()}, 201)

    async def replicate(request: Request) -> Response:
        check(request)
        await backups.replicate(request.path_params["storage"], _file(request))
        return Response(status_code=200)

    async def restore(request: Request) -> Response:
        check(request)
        return JSONResponse({"rows": await backups.restore(request.path_params["storage"], _file(request))})

    async def copy(request: Request) -> Response:
        check(request)
        name = _file(request)
        target = request.query_params.get("destinationFileName", name)
        await backups.copy(request.path_params["source"], name, request.path_params["target"], target)
        return Response(status_code=200)

    async def delete(request: Request) -> Response:
        check(request)
        await backups.delete(request.path_params["storage"], _file(request))
        return Response(status_code=200)

    async def list_owners(request: Request) -> Response:
        check(request)
        size = request.query_params.get("pageSize", str(MAX_PAGE))
        # int() also accepts other digits and underscores; no number of a page has more than three digits.
        number = int(size) if size.isascii() and size.isdigit() and len(size) <= 3 else 0
        page, token = await owners.page(request.query_params.get("pageToken", ""), number)
        return JSONResponse({"owners": [_owner(each) for each in page], "nextPageToken": token})

    async def remove(request: Request) -> Response:
        check(request)
        contracts = request.query_params.get("contracts", "") == "true"
        removed = await owners.remove(request.query_params.get("wallet", ""), contracts=contracts)
        return JSONResponse({"removed": removed})

    return [
        Route("/admin/secrets", list_owners, methods=["GET"]),
        Route("/admin/secrets", remove, methods=["DELETE"]),
        Route("/admin/backup", create, methods=["POST"]),
        Route("/admin/{storage}/replicate-backup", replicate, methods=["POST"]),
        Route("/admin/{storage}/restore-backup", restore, methods=["POST"]),
        Route("/admin/{source}/copy-to/{target}", copy, methods=["POST"]),
        Route("/admin/{storage}/delete-backup", delete, methods=["DELETE"]),
    ]


def _file(request: Request) -> str:
    return request.query_params.get("fileName", "")


def _owner(owner: SecretOwner) -> dict[str, Any]:
    return {
        "wallet": owner.stored.wallet,
        "secrets": owner.stored.secrets,
        "bytes": owner.stored.size,
        "kinds": {kind.value: number for kind, number in sorted(owner.stored.kinds.items())},
        # As text: amounts in nRLC exceed the numbers of JavaScript.
        "deposit": None if owner.deposit is None else str(owner.deposit),
    }
