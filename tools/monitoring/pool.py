"""The dashboard of the pool as a whole, which is Grafana's home: workers, tasks, latencies, failures."""

from monitoring.panels import Page, Query, quantiles

LIVE = 'iexec_core_tasks_count{status!~"COMPLETED|FAILED"}'
ENDED = 'iexec_core_tasks_count{status=~"COMPLETED|FAILED"}'
HOURLY = "increase(workerpool_core_deal_to_final_seconds_count[1h])"
CORE_LAG = 'iexec_chain_block_latest{job="core"} - on (instance) workerpool_core_cursor_block'


def pool_page() -> Page:
    """Return the dashboard."""
    page = Page("workerpool-pool", "Pool", "What the pool does now, and whether it keeps up.")
    page.label("workerpool", "Workerpool", "label_values(workerpool_core_pool_info, workerpool)")
    _now(page)
    _tasks(page)
    _latencies(page)
    _failures(page)
    return page


def _now(page: Page) -> None:
    page.row("Now")
    page.number(
        "Workers alive",
        "iexec_core_workers",
        "Workers that sent a message within the last 60 s.",
        warn_at=2,
        fail_at=1,
    )
    page.number(
        "CPUs",
        "iexec_core_cpu_registered",
        "Tasks that the alive workers can compute at once, without those of GPU workers.",
    )
    page.number("CPUs computing", "iexec_core_cpu_computing", "Tasks that are computed at this moment.")
    page.number("Tasks not ended", f"sum({LIVE})", "Tasks that were created and have not ended.")
    page.number(
        "Completed in an hour",
        'increase(workerpool_core_deal_to_final_seconds_count{status="COMPLETED"}[1h])',
        "Tasks that completed within the last hour.",
    )
    page.number(
        "Completed of ended",
        f'sum(iexec_core_tasks_count{{status="COMPLETED"}}) / clamp_min(sum({ENDED}), 1)',
        "The part of all ended tasks that completed.",
        unit="percentunit",
        warn_at=0.9,
        fail_at=0.5,
    )
    page.number(
        "Oldest waiting task",
        "workerpool_core_queue_oldest_seconds",
        "Age of the oldest task that is ready and has no worker.",
        unit="s",
        warn_at=60,
        fail_at=600,
    )
    page.number(
        "Tasks still to create",
        "workerpool_core_tasks_queued",
        "Tasks of bought deals that core creates when workers can serve them.",
    )
    page.number(
        "Chain lag",
        CORE_LAG,
        "Blocks that core knows of and has not handled.",
        unit="short",
        warn_at=5,
        fail_at=20,
    )
    page.number(
        "Transactions left",
        'min(workerpool_wallet_transactions_left{job="chain-adapter"})',
        "Transactions that the pool owner's wallet can pay for at today's price.",
        warn_at=1000,
        fail_at=100,
    )
    page.number(
        "Oldest unmined",
        'max(workerpool_wallet_oldest_unmined_seconds{job="chain-adapter"})',
        "Age of the pool owner's oldest transaction that is not mined.",
        unit="s",
        warn_at=60,
        fail_at=120,
    )
    page.number(
        "Alerts",
        'count(ALERTS{alertstate="firing"}) or vector(0)',
        "Alerts that fire now. docs/alerts.md says what to do for each.",
        warn_at=1,
        fail_at=3,
    )


def _tasks(page: Page) -> None:
    page.row("Workers and tasks")
    page.graph(
        "Tasks by status",
        [Query(f"sum by (status) ({LIVE})", "{{status}}")],
        "Tasks that have not ended, by status (docs/state-machines.md).",
        stacked=True,
    )
    page.graph(
        "Ended tasks per hour",
        [Query(f"sum by (status) ({HOURLY})", "{{status}}")],
        "Tasks that completed and that failed within the last hour, at each moment.",
    )
    page.graph(
        "CPUs and GPUs",
        [
            Query("iexec_core_cpu_registered", "registered"),
            Query("iexec_core_cpu_computing", "computing"),
            Query("iexec_core_gpu_registered", "GPUs registered"),
            Query("iexec_core_gpu_computing", "GPUs computing"),
        ],
        "Tasks that the alive workers can compute at once, and those that they compute.",
    )
    page.graph(
        "Deals",
        [
            Query("increase(iexec_core_deals_events_total[1h])", "bought in an hour"),
            Query("increase(iexec_core_deals_total[1h])", "taken in an hour"),
            Query("increase(workerpool_core_tasks_unreached_total[1h])", "tasks not reached in an hour"),
        ],
        "Deals of this pool, and tasks that no worker could serve before the deadline of their deal.",
    )


def _latencies(page: Page) -> None:
    page.row("Latencies")
    page.graph(
        "From the deal to the end",
        quantiles("workerpool_core_deal_to_final_seconds", "status"),
        "From the block of the deal to the end of the task.",
        unit="s",
    )
    page.graph(
        "Waiting for a worker",
        [
            *quantiles("workerpool_core_queue_wait_seconds"),
            Query("workerpool_core_queue_oldest_seconds", "oldest now"),
        ],
        "From a task being ready to its first replicate.",
        unit="s",
    )
    page.graph(
        "Stages of replicates",
        [quantiles("workerpool_core_replicate_stage_seconds", "status")[1]],
        "Seconds from a replicate's previous status to this one, for 95 % of them.",
        unit="s",
    )
    page.graph(
        "Scheduler",
        [
            Query(query.expression, f"{name} {query.legend}")
            for name, histogram in (("deal to task", "deal_to_task"), ("dispatch", "dispatch"))
            for query in quantiles(f"workerpool_core_{histogram}_seconds")
        ],
        "From a deal's block to its first task, and from a replicate to its assignment being sent.",
        unit="s",
    )


def _failures(page: Page) -> None:
    page.row("Failures, and whose side they are on")
    page.graph(
        "Failed tasks by side",
        [
            Query("sum by (side) (increase(workerpool_core_task_failures_total[1h]))", "{{side}}"),
        ],
        "Tasks of an hour that failed or that completed with an error result, by the side at fault (docs/blame.md). "
        "Requesters see the same.",
        width=8,
        stacked=True,
    )
    page.graph(
        "Failed replicates by side",
        [Query("sum by (side) (increase(workerpool_core_replicate_failures_total[1h]))", "{{side}}")],
        "Replicates of an hour that failed. Those of the side `worker` count towards its quarantine.",
        width=8,
        stacked=True,
    )
    page.graph(
        "Most frequent causes",
        [
            Query(
                "topk(8, sum by (cause) (increase(workerpool_core_replicate_failures_total[$__range])) > 0)",
                "{{cause}}",
            )
        ],
        "Causes of failed replicates in the shown range (docs/blame.md explains each).",
        width=8,
    )
