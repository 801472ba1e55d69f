"""Apps that fail, run too long, or write too much: each ends in minutes, with the true cause."""

from hostile.catalogue.entry import Entry, ends, error_result, succeeds, to_file

_FAILED = "APP_COMPUTE_FAILED"
_TIMEOUT = "APP_COMPUTE_TIMEOUT"
_NO_COMPUTED = "POST_COMPUTE_COMPUTED_FILE_NOT_FOUND"
_LIMIT = "DEV-6S"
_LIMIT_SECONDS = 6.0

ENTRIES = (
    *(
        Entry(name=f"app-exit-{code}", script=f"echo why >&2; exit {code}", right=error_result(_FAILED))
        for code in (1, 3, 42, 125, 126, 127, 139, 255)
    ),
    Entry(
        name="app-exit-3-with-result",
        script="echo x > /iexec_out/r; exit 3",
        computed=to_file(),
        right=error_result(_FAILED),
    ),
    Entry(
        name="app-exit-3-trust-3",
        trust=3,
        script="exit 3",
        right=error_result(_FAILED),
    ),
    Entry(name="app-kills-itself", script="sh -c 'kill -9 $$'; exit $?", right=error_result(_FAILED)),
    Entry(
        name="app-of-another-exit-each-time",
        script="exit $(($(date +%N | cut -c1) + 1))",
        right=error_result(_FAILED),
    ),
    Entry(
        name="app-time-limit",
        script="trap '' TERM; echo x > /iexec_out/r; sleep 4000",
        computed=to_file(),
        category=_LIMIT,
        right=error_result(_TIMEOUT, seconds=_LIMIT_SECONDS),
    ),
    Entry(
        name="app-time-limit-busy",
        script="while :; do :; done",
        category=_LIMIT,
        right=error_result(_TIMEOUT, seconds=_LIMIT_SECONDS),
    ),
    Entry(
        name="app-output-flood",
        script="line=$(head -c 1000 /dev/zero | tr '\\0' a); "
        "yes $line | head -c 60000000; yes $line | head -c 60000000 >&2; echo x > /iexec_out/r",
        computed=to_file(),
        right=succeeds(seconds=10),
    ),
    Entry(
        name="app-output-without-end",
        script="yes flood",
        category=_LIMIT,
        right=error_result(_TIMEOUT, seconds=_LIMIT_SECONDS),
    ),
    Entry(
        name="app-output-one-line",
        script="head -c 50000000 /dev/zero | tr '\\0' a; head -c 5000000 /dev/urandom >&2; echo x > /iexec_out/r",
        computed=to_file(),
        right=succeeds(seconds=10),
    ),
    Entry(
        name="app-fork-bomb",
        script="bomb() { bomb | bomb & }; bomb; sleep 60",
        category=_LIMIT,
        right=error_result(_TIMEOUT, _FAILED, _NO_COMPUTED, "APP_OUT_OF_MEMORY", seconds=_LIMIT_SECONDS),
        weight=0.5,
    ),
    Entry(
        name="app-leaves-processes",
        script="(sleep 300 &) ; echo x > /iexec_out/r",
        computed=to_file(),
        right=succeeds(),
    ),
    Entry(
        name="callback-exit-3",
        callback=True,
        script="exit 3",
        right=error_result(_FAILED),
    ),
    Entry(
        name="callback-without-data",
        callback=True,
        script="echo x > /iexec_out/r",
        computed=to_file(),
        right=error_result("POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED", _NO_COMPUTED),
    ),
    Entry(
        name="callback-huge-data",
        callback=True,
        script='(printf \'{"callback-data":"0x\'; head -c 400000 /dev/zero | tr "\\0" a; printf \'"}\')'
        " > /iexec_out/computed.json",
        right=ends("POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED", "RESULT_RULE_BROKEN", _NO_COMPUTED),
    ),
)
