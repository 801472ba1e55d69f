"""The engine's texts of failed pulls."""

import pytest
from workerpool_worker.domain.fetching.pull_failures import (
    PullFailure,
    pull_failure,
    wanted_pause_s,
    without_addresses,
)


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("failed to register layer: write /usr/lib/x: no space left on device", PullFailure.DISK),
        ("write /var/lib/docker/tmp/GetImageBlob1: no space left on device", PullFailure.DISK),
        ("mkdir /var/lib/docker/overlay2/x: disk quota exceeded", PullFailure.DISK),
        ("open /var/lib/docker/tmp/x: read-only file system", PullFailure.DISK),
        ("unknown: no space left on device", PullFailure.IMAGE),
        ("denied: write /x: no space left on device", PullFailure.DENIED),
        (
            "failed to register layer: link /x: no space left on device /y: operation not permitted",
            PullFailure.IMAGE,
        ),
        ("manifest unknown: manifest unknown", PullFailure.IMAGE),
        ("manifest for reg.test/app:429 not found: manifest unknown: manifest unknown", PullFailure.IMAGE),
        ("manifest for reg.test/denied:500 not found: manifest unknown: manifest unknown", PullFailure.IMAGE),
        ("denied: requested access to the resource is denied", PullFailure.DENIED),
        ('Head "https://x/v2/app/manifests/1": no basic auth credentials', PullFailure.DENIED),
        ("unauthorized: authentication required", PullFailure.DENIED),
        ("login attempt to https://x:5000/v2/ failed with status: 401 Unauthorized", PullFailure.DENIED),
        ("error parsing HTTP 403 response body: invalid character '<'", PullFailure.DENIED),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", PullFailure.IMAGE),
        ("filesystem layer verification failed for digest sha256:00", PullFailure.IMAGE),
        ("toomanyrequests: You have reached your pull rate limit", PullFailure.LIMITED),
        ("error parsing HTTP 429 response body: invalid character 's': \"slow down\"", PullFailure.LIMITED),
        (
            "error pulling image configuration: received unexpected HTTP status: 502 Bad Gateway",
            PullFailure.OUTAGE,
        ),
        ('Head "https://x/v2/": net/http: TLS handshake timeout', PullFailure.OUTAGE),
        ("dial tcp: lookup x on 1.1.1.1:53: read udp: i/o timeout", PullFailure.LOOKUP),
        ("dial tcp: lookup x on 127.0.0.1:53: read: connection refused", PullFailure.LOOKUP),
        ("dial tcp: lookup x on 1.1.1.1:53: server misbehaving", PullFailure.LOOKUP),
        ("x509: certificate signed by unknown authority", PullFailure.OUTAGE),
        ("unexpected EOF", PullFailure.OUTAGE),
        ("proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused", PullFailure.OUTAGE),
        ("dial tcp: lookup x.invalid on 1.1.1.1:53: no such host", PullFailure.ABSENT),
        ("dial tcp 192.0.2.1:443: connect: connection refused", PullFailure.REFUSED),
        ("http: server gave HTTP response to HTTPS client", PullFailure.REFUSED),
        ("", PullFailure.IMAGE),
        ("something new", PullFailure.IMAGE),
    ],
)
def test_the_engines_text_determines_the_cause(text: str, failure: PullFailure) -> None:
    assert pull_failure(text) is failure


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "dial tcp: lookup x.test on 10.0.0.1:53: no such host",
            "dial tcp: lookup x.test on …: no such host",
        ),
        ("dial tcp [fd00::1]:443: connect: connection refused", "dial tcp …: connect: connection refused"),
        ("read udp 172.17.0.2:4444->10.0.0.1:53: i/o timeout", "read udp …->…: i/o timeout"),
        ("manifest for app:1.2.3 not found", "manifest for app:1.2.3 not found"),
    ],
)
def test_a_requester_reads_no_address_of_the_workers_network(text: str, shown: str) -> None:
    assert without_addresses(text) == shown


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("toomanyrequests: retry-after: 316.911µs, allowed: 44000/minute", 316.911e-6),
        ("toomanyrequests: retry after 2 s", 2.0),
        ("Retry-After: 30", 30.0),
        ("retry-after: 2m", 120.0),
        ("toomanyrequests: pull rate limit reached", 0.0),
    ],
)
def test_a_registry_may_name_the_pause_that_it_wants(text: str, seconds: float) -> None:
    assert wanted_pause_s(text) == pytest.approx(seconds)
