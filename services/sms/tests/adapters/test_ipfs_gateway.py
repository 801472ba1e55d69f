"""Small objects from a gateway; anything else reads as empty."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from workerpool_devnet.processes.ports import free_port
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_sms.adapters.ipfs_gateway import IpfsGateway

CONTENT = {"small": b"[]", "large": b"x" * ((1 << 20) + 1), "binary": b"\xff\xfe"}


async def test_an_object_is_read_within_limits() -> None:
    async def serve(request: Request) -> Response:
        found = CONTENT.get(request.path_params["cid"])
        return Response(found) if found is not None else PlainTextResponse("no", 404)

    server = HttpServer(
        0, health=Health(), version="1", routes=[Route("/ipfs/{cid}", serve)], host="127.0.0.1"
    )
    await server.start()
    gateway = IpfsGateway(f"http://127.0.0.1:{server.port}/")
    try:
        assert [await gateway.read(cid) for cid in ("small", "large", "binary", "absent")] == [
            "[]",
            "",
            "",
            "",
        ]
    finally:
        await server.stop()
    assert await IpfsGateway(f"http://127.0.0.1:{free_port()}").read("small") == ""
