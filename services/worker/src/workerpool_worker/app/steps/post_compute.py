"""Post-compute, the last part of COMPUTE: build the archive and the digest of an app's output, within a time limit."""

from workerpool_poco.protocol.statuses import ReplicateStatusCause

from workerpool_worker.app.folder_access import with_access
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.domain.record import Result
from workerpool_worker.errors import TaskFault, WorkTimedOut


async def make_result(replicate: Replicate, *, exit_code: int) -> Result:
    """Return the result of the app's output. Raises `TaskFault` if the output breaks a rule or takes too long.

    The rules are those of the pool's proxy, so that it never refuses a result that was contributed.
    A cancellation ends the work within one entry or one megabyte of output.
    """
    context = replicate.context
    limit_s = context.policy.post_compute_limit_s
    rules = await context.store.archive_rules(context.result_proxy_url)
    folder = replicate.folder
    try:
        result = await with_access(
            context.engine,
            folder.iexec_out,
            lambda: replicate.run_cancellable(
                folder.make_result, callback=replicate.task.has_callback, rules=rules, limit_s=limit_s
            ),
        )
    except WorkTimedOut as late:
        cause = ReplicateStatusCause.POST_COMPUTE_TIMEOUT
        message = f"the output cannot be archived within {limit_s:.0f} s"
        raise TaskFault(cause, message, exit_code=exit_code) from late
    if result.cause is not None:
        raise TaskFault(result.cause, result.message or result.cause.value, exit_code=exit_code)
    return result
