"""The metrics of the result proxy."""

from prometheus_client import Counter, Gauge

UPLOADS = Counter(
    "workerpool_result_uploads_total", "Uploads by outcome: stored, or the reason of the refusal", ["outcome"]
)
UPLOADS_IN_PROGRESS = Gauge("workerpool_result_uploads_in_progress", "Uploads being received or checked")
STORED_BYTES = Counter("workerpool_result_stored_bytes_total", "Bytes of archives stored")
INCOMPLETE_READS = Counter(
    "workerpool_result_incomplete_reads_total",
    "Reads of stored archives of which the store has lost bytes",
)
SERVED_BYTES = Counter("workerpool_result_served_bytes_total", "Bytes of archives sent to readers")
