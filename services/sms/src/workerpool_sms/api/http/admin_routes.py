"""HTTP routes of backup and restore (worker spec D, admin); each request needs the header X-API-KEY."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workerpool_sms.app.backups import AdminAccess, Backups


def routes(access: AdminAccess, backups: Backups) -> list[Route]:
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

    return [
        Route("/admin/backup", create, methods=["POST"]),
        Route("/admin/{storage}/replicate-backup", replicate, methods=["POST"]),
        Route("/admin/{storage}/restore-backup", restore, methods=["POST"]),
        Route("/admin/{source}/copy-to/{target}", copy, methods=["POST"]),
        Route("/admin/{storage}/delete-backup", delete, methods=["DELETE"]),
    ]


def _file(request: Request) -> str:
    return request.query_params.get("fileName", "")
