"""The worker is killed (SIGKILL) in every stage of a replicate: it restarts and completes the replicate.

Some short stages are extended from outside: by a document that does not arrive, or a result proxy that does not
answer. In the other stages the kill follows the report of the status.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest
import pytest_asyncio
from patience import PATIENCE_S
from workerpool_devnet.demo.follow import Progress
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.services.service import Service
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_protocol.core.v1.task_pb2 import Replicate
from workerpool_protocol.core.v1.task_service_pb2 import GetReplicateRequest
from workerpool_protocol.core.v1.task_service_pb2_grpc import TaskServiceStub

from e2e import history
from e2e.requester import Requester

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

END_SECONDS = 60


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """Run a pool with one worker, so that no other worker can take its task; killed services restart."""
    async with Devnet(DevnetOptions(workers=1, restart=True)) as running:
        yield running


@pytest.mark.parametrize(
    "status",
    [
        R.STARTING,
        R.APP_DOWNLOADING,
        R.COMPUTING,
        R.CONTRIBUTING,
        R.CONTRIBUTED,
        R.REVEALING,
        R.RESULT_UPLOADED,
    ],
    ids=lambda status: status.name,
)
async def test_a_replicate_completes_when_its_worker_is_killed_in_a_status(
    net: Devnet, requester: Requester, status: R
) -> None:
    (task,) = await requester.buy()
    await killed_at(net, requester, task, status)


async def test_a_replicate_completes_when_its_worker_is_killed_during_the_download_of_data(
    net: Devnet, requester: Requester
) -> None:
    with slow_document() as (url, arrive):
        patient = replace(requester, documents=(url, *requester.documents))
        (task,) = await patient.buy()
        await killed_at(net, patient, task, R.DATA_DOWNLOADING, then=arrive.set)


async def test_a_replicate_completes_when_its_worker_is_killed_during_the_upload(
    net: Devnet, requester: Requester
) -> None:
    proxy = net.services["result_proxy"].process
    (task,) = await requester.buy()

    def hold(progress: Progress) -> None:
        if R.COMPUTED in statuses(progress, task):
            proxy.signal(signal.SIGSTOP)

    await killed_at(
        net, requester, task, R.RESULT_UPLOADING, before=hold, then=lambda: proxy.signal(signal.SIGCONT)
    )


async def test_a_replicate_completes_when_its_worker_is_killed_at_the_end_of_the_task(
    net: Devnet, requester: Requester
) -> None:
    (task,) = await requester.buy()
    await requester.follow([task])
    worker = net.services["worker-1"]
    worker.kill()
    assert R.COMPLETED in history.of_replicate(await completed_replicate(net, task, worker))


async def killed_at(
    net: Devnet,
    requester: Requester,
    task: TaskId,
    status: R,
    *,
    before: Callable[[Progress], None] = lambda progress: None,
    then: Callable[[], None] = lambda: None,
) -> None:
    """Kill the worker once its replicate has a status; check that the task completes without a repeated transaction."""
    worker = net.services["worker-1"]
    killed: list[int] = []

    def kill_once(progress: Progress) -> None:
        if not killed and status in statuses(progress, task):
            killed.append(worker.pid)
            worker.kill()
            then()
        elif not killed:
            before(progress)

    await requester.follow([task], kill_once)

    assert killed, f"the replicate did not reach {status.name}"
    record = await requester.on_chain(task)
    assert record.completed
    assert record.counts() == "1 initialize, 1 contribute, 1 reveal, 1 finalize"
    replicate = await completed_replicate(net, task, worker)
    # A change is sent within a tenth of a second, in which the task may end.
    await worker.wait_restarted(killed[0], timeout=PATIENCE_S)
    assert R.WORKER_LOST not in history.of_replicate(replicate)


def statuses(progress: Progress, task: TaskId) -> list[R]:
    """Return every status so far of the only replicate of a task."""
    return [status for found in progress.tasks[task].replicates for status in history.of_replicate(found)]


async def completed_replicate(net: Devnet, task: TaskId, worker: Service) -> Replicate:
    """Read the replicate of a worker until it is COMPLETED, which follows the completion of its task."""
    request = GetReplicateRequest(task_id=task, wallet_address=net.account(worker.name).address)
    async with (
        asyncio.timeout(END_SECONDS),
        grpc.aio.insecure_channel(net.services["core"].grpc) as channel,
    ):
        while True:
            replicate = (await TaskServiceStub(channel).GetReplicate(request)).replicate
            if R.COMPLETED in history.of_replicate(replicate):
                return replicate
            await asyncio.sleep(0.05)


@contextlib.contextmanager
def slow_document() -> Iterator[tuple[str, threading.Event]]:
    """Serve a document whose bytes arrive once the event is set."""
    arrive = threading.Event()
    body = b"one slow document\n"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            arrive.wait(END_SECONDS)
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/slow.txt", arrive
    finally:
        arrive.set()
        server.shutdown()
        server.server_close()
        thread.join()
