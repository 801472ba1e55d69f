"""The routes of the page."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from workerpool_kit.health import Health

from workerpool_core.api.operator_page.deals import Deals
from workerpool_core.api.operator_page.frame import Frame
from workerpool_core.api.operator_page.overview import Overview
from workerpool_core.api.operator_page.rendering import ASSETS, Renderer, see_other
from workerpool_core.api.operator_page.sign_in import SignIn
from workerpool_core.api.operator_page.tasks import Tasks
from workerpool_core.api.operator_page.wallet import Wallet
from workerpool_core.api.operator_page.workers import Workers
from workerpool_core.api.pool_service import PoolServicer
from workerpool_core.app.operators.sessions import OperatorSessions
from workerpool_core.app.running import Core


def operator_page_routes(
    core: Core, sessions: OperatorSessions, servicer: PoolServicer, health: Health, version: str
) -> list[Route]:
    """Return the routes of the page; `servicer` performs the actions on workers."""
    renderer = Renderer(version)
    frame = Frame(renderer, sessions)
    overview, sign_in = Overview(frame, core, health), SignIn(frame, sessions)
    tasks, deals, wallet = Tasks(frame, core), Deals(frame, core), Wallet(frame, core)
    workers = Workers(frame, core, servicer)
    everyone, operators, actions = frame.for_everyone, frame.for_operators, frame.for_actions
    return [
        Route("/", partial(_redirect, "./ui/")),
        Route("/ui", partial(_redirect, "./ui/")),
        *(Route(f"/ui/{name}", partial(_asset, renderer, name)) for name in ASSETS),
        Route("/ui/", everyone(overview.show)),
        Route("/ui/find", everyone(overview.find)),
        Route("/ui/sign-in", everyone(sign_in.form), methods=["GET"]),
        Route("/ui/sign-in", everyone(sign_in.sign_in), methods=["POST"]),
        Route("/ui/sign-out", everyone(sign_in.sign_out), methods=["POST"]),
        Route("/ui/workers", operators(workers.list)),
        Route("/ui/workers/{wallet}", operators(workers.show)),
        Route("/ui/workers/{wallet}/drain", actions(workers.drain), methods=["POST"]),
        Route("/ui/workers/{wallet}/undrain", actions(workers.undrain), methods=["POST"]),
        Route("/ui/workers/{wallet}/quarantine", actions(workers.quarantine), methods=["POST"]),
        Route("/ui/workers/{wallet}/release", actions(workers.release), methods=["POST"]),
        Route("/ui/tasks", operators(tasks.list)),
        Route("/ui/tasks/{task_id}", everyone(tasks.show)),
        Route("/ui/tasks/{task_id}/logs/{wallet}/{stream}", operators(tasks.logs)),
        Route("/ui/deals", operators(deals.list)),
        Route("/ui/deals/{deal_id}", operators(deals.show)),
        Route("/ui/transactions", operators(wallet.transactions)),
        Route("/ui/wallet", operators(wallet.wallet)),
    ]


async def _redirect(location: str, _request: Request) -> Response:
    return see_other(location)


async def _asset(renderer: Renderer, name: str, _request: Request) -> Response:
    return renderer.asset(name)
