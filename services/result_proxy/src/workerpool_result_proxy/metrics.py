"""Metrics of the result proxy, all in one place."""

from prometheus_client import Counter, Gauge

uploads = Counter(
    "workerpool_result_uploads_total", "Uploads by outcome: stored, or the reason of the refusal", ["outcome"]
)
uploads_in_progress = Gauge("workerpool_result_uploads_in_progress", "Uploads being received or checked")
stored_bytes = Counter("workerpool_result_stored_bytes_total", "Bytes of archives stored")
served_bytes = Counter("workerpool_result_served_bytes_total", "Bytes of archives handed out")
