"""The dashboard of workers: core's table, and the metrics of the workers that Prometheus reaches."""

from monitoring.panels import Column, Page, Query, quantiles

_CHOSEN = '{wallet=~"$wallet"}'
_LABELS = "wallet, name, version, os, cpu, state"


def workers_page() -> Page:
    """Return the dashboard."""
    page = Page(
        "workerpool-workers",
        "Workers",
        "Each worker as core knows it, and the hosts that Prometheus reaches.",
    )
    page.choice("wallet", "Worker", "label_values(workerpool_core_worker_info, wallet)")
    _table(page)
    _by_worker(page)
    _hosts(page)
    return page


def _table(page: Page) -> None:
    page.row("Workers of the last day")
    page.table(
        "Workers",
        [
            Query(f"max by ({_LABELS}) (workerpool_core_worker_info{_CHOSEN})"),
            Query(f"max by (wallet) (time() - workerpool_core_worker_seen_timestamp_seconds{_CHOSEN})"),
            Query(f"max by (wallet) (workerpool_core_worker_slots{_CHOSEN})"),
            Query(f"max by (wallet) (workerpool_core_worker_busy_slots{_CHOSEN})"),
            Query(f"max by (wallet) ({_ended('completed')})"),
            Query(f"max by (wallet) ({_ended('failed')})"),
        ],
        [
            Column("Wallet", "wallet"),
            Column("Name", "name"),
            Column("State", "state"),
            Column("Last seen", "Value #B", "s"),
            Column("CPUs", "Value #C"),
            Column("Running", "Value #D"),
            Column("Completed", "Value #E"),
            Column("Failed", "Value #F"),
            Column("Version", "version"),
            Column("OS", "os"),
            Column("Architecture", "cpu"),
        ],
        "Workers that sent a message within the last day. Completed and failed replicates count since the start of "
        "core. `poolctl why WALLET` shows why one gets no work.",
        key="wallet",
        link="/d/workerpool-workers?var-wallet=${__value.raw}",
    )


def _ended(outcome: str) -> str:
    return f'workerpool_core_worker_replicates_total{{wallet=~"$wallet", outcome="{outcome}"}}'


def _by_worker(page: Page) -> None:
    page.row("By worker, as core sees it")
    page.graph(
        "Running tasks",
        [Query(f"workerpool_core_worker_busy_slots{_CHOSEN}", "{{wallet}}")],
        "Slots of each worker that hold a task.",
        width=8,
        stacked=True,
    )
    page.graph(
        "Completed replicates per hour",
        [Query(f"increase({_ended('completed')}[1h])", "{{wallet}}")],
        "Replicates that each worker completed within the last hour.",
        width=8,
        stacked=True,
    )
    page.graph(
        "Failed replicates per hour",
        [Query(f"increase({_ended('failed')}[1h])", "{{wallet}}")],
        "Replicates of each worker that failed within the last hour, on any side.",
        width=8,
        stacked=True,
    )
    page.graph(
        "Workers by state",
        [Query("count by (state) (workerpool_core_worker_info)", "{{state}}")],
        "busy and idle workers take work; the others do not.",
        width=8,
        stacked=True,
    )
    page.graph(
        "Workers by version",
        [Query("count by (version) (workerpool_core_worker_info)", "{{version}}")],
        "Versions of the workers of the last day.",
        width=8,
        stacked=True,
    )
    page.graph(
        "Workers by architecture",
        [Query("count by (os, cpu) (workerpool_core_worker_info)", "{{os}} {{cpu}}")],
        "Operating systems and processors of the workers of the last day.",
        width=8,
        stacked=True,
    )


def _hosts(page: Page) -> None:
    page.row("Hosts that Prometheus scrapes (deploy/prometheus/workers)")
    page.graph(
        "Stages",
        [quantiles("workerpool_worker_stage_seconds", "stage")[1]],
        "Duration of the stages that succeeded, for 95 % of them.",
        unit="s",
    )
    page.graph(
        "Failures by side",
        [Query("sum by (side) (increase(workerpool_worker_stage_failures_total[1h]))", "{{side}}")],
        "Failures of stages within an hour. Any of the side `worker` is worth a look.",
        stacked=True,
    )
    page.graph(
        "Apps that ended",
        [Query("sum by (ended_by) (increase(workerpool_worker_app_exits_total[1h]))", "{{ended_by}}")],
        "What ended apps within an hour: themselves, or a limit of time, memory or disk.",
        width=8,
        stacked=True,
    )
    page.graph(
        "Image pulls",
        [Query("sum by (outcome) (increase(workerpool_worker_image_pulls_total[1h]))", "{{outcome}}")],
        "Pulls of images within an hour, by outcome.",
        width=8,
        stacked=True,
    )
    page.graph(
        "Disk space of images",
        [Query('workerpool_worker_image_bytes{job="worker"}', "{{instance}}")],
        "Images that each worker pulled itself.",
        unit="bytes",
        width=8,
    )
    page.graph(
        "Transactions left",
        [Query('workerpool_wallet_transactions_left{job="worker"}', "{{wallet}}")],
        "Transactions that each worker's wallet can pay for. Below 10 it gets no new work.",
        width=8,
    )
    page.graph(
        "Oldest unmined",
        [Query('workerpool_wallet_oldest_unmined_seconds{job="worker"}', "{{wallet}}")],
        "Age of each worker's oldest transaction that is not mined.",
        unit="s",
        width=8,
    )
    page.graph(
        "Unanswered updates",
        [Query("workerpool_worker_unanswered_updates", "{{instance}}")],
        "Status updates that the scheduler has not answered. They grow while core is away.",
        width=8,
    )
