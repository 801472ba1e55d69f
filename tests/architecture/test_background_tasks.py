"""No background task is started bare: the process would continue without it, and its failure stay unnoticed.

Each place that starts a task or a thread is either `start_task` or `Lifetime.spawn` of the kit, whose failures end the
process, or it stands below with the reason why its failure cannot be lost.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*ROOT.glob("libs/*/src"), *ROOT.glob("services/*/src")])
STARTS = {"create_task", "ensure_future", "run_in_executor", "Thread", "Timer"}

AWAITED = "its starter awaits the result, also after a cancellation"
ALLOWED = {
    # The supervising parts themselves.
    "workerpool_kit/runtime/tasks.py:start_task": "is the supervisor",
    "workerpool_kit/process.py:spawn": "is the supervisor",
    "workerpool_kit/process.py:_run": AWAITED,
    "workerpool_kit/process.py:_end_at_latest": "only ends the process",
    "workerpool_kit/runtime/log_stream.py:__init__": "its loop handles every error of the file",
    # Libraries without the kit.
    # Threads that run one blocking call.
    "workerpool_kit/mongo/database.py:run": AWAITED,
    "workerpool_result_proxy/adapters/files/threads.py:run": AWAITED,
    "workerpool_result_proxy/adapters/files/threads.py:run_long": AWAITED,
    "workerpool_kit/sqlite_file.py:open": AWAITED,
    "workerpool_kit/sqlite_file.py:close": AWAITED,
    "workerpool_kit/sqlite_file.py:_outcome": AWAITED,
    "workerpool_worker/adapters/docker/connection.py:call": AWAITED,
    "workerpool_kit/runtime/threads.py:__init__": "each of its calls passes every error to the awaited future",
    # Bytes of a file on their way beside others.
    "workerpool_result_proxy/app/receive.py:receive": AWAITED,
    "workerpool_result_proxy/adapters/mongo/gridfs_archives.py:read_ahead": "read awaits it, or cancels and awaits it",
    "workerpool_result_proxy/adapters/mongo/gridfs_archives.py:_write": "the writer awaits it, at the latest in settle",
    "workerpool_result_proxy/adapters/mongo/gridfs_archives.py:_write_at_once": "as in _write",
    "workerpool_result_proxy/app/upload.py:_check_rights": AWAITED,
    "workerpool_result_proxy/adapters/ipfs/ipfs_archives.py:__init__": "the writer awaits it, or ends it in stop",
    "workerpool_result_proxy/adapters/ipfs/ipfs_archives.py:_put": "puts into a queue, and is cancelled otherwise",
    "workerpool_worker/adapters/files/archive.py:of": "its callers await it; a failure is forgotten, and tried again",
    "workerpool_poco/result_archive/pipeline.py:written": "keeps an error for wait, before the archive is complete",
    # Work that a cancelled caller must not interrupt.
    "workerpool_result_proxy/app/completion.py:run_to_completion": AWAITED,
    "workerpool_worker/app/replicate.py:run_blocking": AWAITED,
    "workerpool_chain_adapter/app/commands.py:_request": AWAITED,
    "workerpool_core/app/queries/watchers.py:read": AWAITED,
    "workerpool_core/composition/serve.py:serve": AWAITED,
    # Tasks beside their starter.
    "workerpool_transactions/simulation/process/life.py:start": "passes an error on to the seed, which fails",
    "workerpool_transactions/simulation/chain/node.py:send": AWAITED,
    "workerpool_transactions/simulation/chain/node.py:take_strangers": "a failure only loses a simulated transaction",
    "workerpool_transactions/simulation/world.py:_run": "its parts pass their errors on to the seed, which fails",
    "workerpool_transactions/app/sender.py:_start": "turns every error into an answer; run awaits it at the end",
    "workerpool_transactions/app/sender.py:_send": AWAITED,
    "workerpool_worker/adapters/core/session.py:_stream": "run awaits both and passes an error on to the supervisor",
    "workerpool_worker/app/replicate.py:_run_steps": AWAITED,
    "workerpool_worker/app/cleanup.py:remove_files": "its failure is logged, and the next start of the worker retries",
    "workerpool_worker/app/live_output.py:followed": "logs every error; the output is best effort",
    "workerpool_worker/app/supervisor.py:_start": "passes a crash to Lifetime.fail",
    "workerpool_core/api/worker_service.py:Connect": "ends the stream with the error as its status",
    "workerpool_core/adapters/grpc/requests_in_flight.py:start": "logs a failure; the scheduler retries",
    "workerpool_worker/app/prepared_container.py:begin": "its taker gets the failure; COMPUTE creates it again",
}


def _starts(tree: ast.AST, function: str = "") -> Iterator[str]:
    """Yield the function around each call that starts a task or a thread."""
    for node in ast.iter_child_nodes(tree):
        inner = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in STARTS and not _is_task_group(node.func) and not _is_domain_event(node.func):
                yield inner
        yield from _starts(node, inner)


def _is_task_group(function: ast.expr) -> bool:
    """Return whether a group awaits the task: `async with asyncio.TaskGroup() as fetching: fetching.create_task(…)`."""
    return isinstance(function, ast.Attribute) and getattr(function.value, "id", "") in {"group", "fetching"}


def _is_domain_event(function: ast.expr) -> bool:
    """Return whether the scheduler creates a task of a deal."""
    return isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "transitions"


def _found() -> set[str]:
    return {
        f"{module.relative_to(source)}:{function}"
        for source in SOURCES
        for module in source.rglob("*.py")
        for function in _starts(ast.parse(module.read_text()))
    }


def test_no_task_is_started_bare() -> None:
    bare = sorted(_found() - ALLOWED.keys())
    assert not bare, (
        "start these with workerpool_kit.runtime.tasks.start_task, or say above why no failure is lost"
    )


def test_the_list_of_reasons_has_no_stale_entry() -> None:
    assert sorted(ALLOWED.keys() - _found()) == []


@pytest.mark.parametrize(
    "code",
    [
        "async def f():\n    asyncio.create_task(g())",
        "async def f():\n    def inner():\n        loop.run_in_executor(None, g)",
        "def f():\n    x = [asyncio.ensure_future(g()) for _ in y]",
        "def f():\n    threading.Thread(target=g).start()",
    ],
)
def test_a_bare_start_is_found(code: str) -> None:
    assert list(_starts(ast.parse(code)))
