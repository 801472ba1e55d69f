"""The dashboard of the processes: health, versions, calls, memory, results, orders, secrets."""

from monitoring.panels import Column, Page, Query


def services_page() -> Page:
    """Return the dashboard."""
    page = Page("workerpool-services", "Services", "Health and load of each process of the pool.")
    _health(page)
    _load(page)
    _results(page)
    _orders(page)
    return page


def _health(page: Page) -> None:
    page.row("Health")
    page.graph(
        "Reached by Prometheus",
        [Query("min by (job) (up)", "{{job}}")],
        "1 while Prometheus reads the metrics of every process of the job.",
    )
    page.graph(
        "Components up",
        [Query("min by (job, component) (workerpool_component_up)", "{{job}} {{component}}")],
        "0 while a component of /actuator/health is out of service; its details are there.",
    )
    page.table(
        "Processes",
        [
            Query("max by (instance, job, service, version) (workerpool_build_info)"),
            Query("max by (instance) (time() - process_start_time_seconds)"),
            Query("max by (instance) (process_resident_memory_bytes)"),
            Query("min by (instance) (workerpool_component_up)"),
        ],
        [
            Column("Address", "instance"),
            Column("Job", "job"),
            Column("Service", "service"),
            Column("Version", "version"),
            Column("Runs for", "Value #B", "s"),
            Column("Memory", "Value #C", "bytes"),
            Column("All components up", "Value #D"),
        ],
        "Each scraped process. 0 in the last column: read /actuator/health at the address.",
        key="instance",
        height=8,
    )


def _load(page: Page) -> None:
    page.row("Load")
    page.graph(
        "Memory",
        [Query("process_resident_memory_bytes", "{{job}} {{instance}}")],
        "Resident memory of each process.",
        unit="bytes",
        width=8,
    )
    page.graph(
        "Processor",
        [Query("rate(process_cpu_seconds_total[$__rate_interval])", "{{job}} {{instance}}")],
        "Processors that each process uses.",
        width=8,
    )
    page.graph(
        "Open files",
        [Query("process_open_fds / process_max_fds", "{{job}} {{instance}}")],
        "The part of its limit of open files and connections that each process uses.",
        unit="percentunit",
        width=8,
    )
    page.graph(
        "gRPC calls",
        [
            Query(
                "sum by (job, grpc_code) (rate(grpc_server_handling_seconds_count[$__rate_interval]))",
                "{{job}} {{grpc_code}}",
            )
        ],
        "Finished calls per second, by status.",
        unit="reqps",
    )
    page.graph(
        "Slowest gRPC methods",
        [
            Query(
                "topk(8, histogram_quantile(0.95, sum by (le, grpc_method) "
                "(rate(grpc_server_handling_seconds_bucket[$__rate_interval]))))",
                "{{grpc_method}}",
            )
        ],
        "Duration of 95 % of the calls of a method. Streams last as long as their session.",
        unit="s",
    )


def _results(page: Page) -> None:
    page.row("Results")
    page.graph(
        "Uploads per hour",
        [Query("sum by (outcome) (increase(workerpool_result_uploads_total[1h]))", "{{outcome}}")],
        "Uploads of result archives, by outcome.",
        width=8,
        stacked=True,
    )
    page.graph(
        "Bytes",
        [
            Query("rate(workerpool_result_stored_bytes_total[$__rate_interval])", "stored"),
            Query("rate(workerpool_result_served_bytes_total[$__rate_interval])", "served"),
        ],
        "Bytes of archives per second.",
        unit="Bps",
        width=8,
    )
    page.graph(
        "Uploads in progress, incomplete reads",
        [
            Query("workerpool_result_uploads_in_progress", "in progress"),
            Query("increase(workerpool_result_incomplete_reads_total[1h])", "incomplete reads in an hour"),
        ],
        "An incomplete read met an archive whose bytes the store has lost in part.",
        width=8,
    )


def _orders(page: Page) -> None:
    page.row("Orders and secrets")
    page.graph(
        "Offers",
        [
            Query("workerpool_orders_open_volume", "tasks on offer"),
            Query("workerpool_orders_capacity", "tasks that the pool can serve"),
            Query("workerpool_orders_open", "open orders"),
        ],
        "Tasks that requesters can buy now, beside what the pool can serve.",
        width=8,
    )
    page.graph(
        "Orders per hour",
        [
            Query("increase(workerpool_orders_published_total[1h])", "published"),
            Query("increase(workerpool_orders_withdrawn_total[1h])", "withdrawn"),
            Query("increase(workerpool_orders_cancellations_total[1h])", "cancelled on chain"),
            Query("increase(workerpool_orders_refused_total[1h])", "refused by the market"),
            Query("increase(workerpool_market_outages_total[1h])", "calls without a usable answer"),
            Query("workerpool_orders_awaiting_cancellation", "awaiting their cancellation"),
        ],
        "What the order publisher did on the market.",
        width=8,
    )
    page.graph(
        "Secrets of the SMS",
        [
            Query("iexec_sms_secrets_web2_stored", "of requesters and owners (web2)"),
            Query("iexec_sms_secrets_web3_stored", "of datasets (web3)"),
            Query("iexec_sms_secrets_compute_stored", "of apps and requesters"),
            Query("increase(workerpool_sms_secrets_over_limit_total[1h])", "refused in an hour ({{limit}})"),
        ],
        "Stored secrets by table.",
        width=8,
    )
