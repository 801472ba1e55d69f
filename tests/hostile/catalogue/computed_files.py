"""Odd `computed.json` files: each ends in minutes with a cause and a sentence."""

from hostile.catalogue.entry import Entry, Outcome, error_result

_FILE = "/iexec_out/computed.json"
_ODD: dict[str, str] = {
    "missing": "echo x > /iexec_out/r",
    "empty": f": > {_FILE}",
    "folder": f"mkdir {_FILE}",
    "fifo": f"mkfifo {_FILE}",
    "list": f"echo '[1]' > {_FILE}",
    "number": f"echo 1e999 > {_FILE}",
    "utf-16": f"printf '\\377\\376{{\\0}}\\0' > {_FILE}",
    "lone-surrogate": f"""echo '{{"deterministic-output-path":"/iexec_out/\\ud800"}}' > {_FILE}""",
    "path-outside": f"""echo '{{"deterministic-output-path":"/etc/passwd"}}' > {_FILE}""",
    "path-upwards": f"""echo '{{"deterministic-output-path":"/iexec_out/../iexec_in"}}' > {_FILE}""",
    "path-beside": f"""echo '{{"deterministic-output-path":"/iexec_outside"}}' > {_FILE}""",
    "path-number": f"""echo '{{"deterministic-output-path":7}}' > {_FILE}""",
    "path-null": f"""echo '{{"deterministic-output-path":null}}' > {_FILE}""",
    "path-nul": f"""echo '{{"deterministic-output-path":"/iexec_out/a\\u0000b"}}' > {_FILE}""",
    "path-names-nothing": f"""echo '{{"deterministic-output-path":"/iexec_out/r"}}' > {_FILE}""",
    "path-long": """printf '{"deterministic-output-path":"/iexec_out/%s"}' """
    f"$(head -c 9000 /dev/zero | tr '\\0' a) > {_FILE}",
    "empty-folder": f"""mkdir /iexec_out/o; echo '{{"deterministic-output-path":"/iexec_out/o"}}' > {_FILE}""",
    "link": f"ln -s /etc/passwd {_FILE}",
    "link-to-itself": f"ln -s computed.json {_FILE}",
    "truncated": f"""printf '{{"deterministic-output-path":"/iexec' > {_FILE}""",
    "callback-in-standard-deal": f"""echo '{{"callback-data":"0x01"}}' > {_FILE}""",
}
_RIGHT: Outcome = error_result(
    "POST_COMPUTE_COMPUTED_FILE_NOT_FOUND",
    "POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED",
    "POST_COMPUTE_RESULT_FILE_NOT_FOUND",
    "RESULT_RULE_BROKEN",
)

ENTRIES = (
    *(Entry(name=f"computed-odd-{name}", script=script, right=_RIGHT) for name, script in _ODD.items()),
    Entry(
        name="computed-deep",
        script=f"head -c 99000 /dev/zero | tr '\\0' '[' > {_FILE}",
        right=_RIGHT,
        weight=3,
    ),
    Entry(
        name="computed-deep-object",
        script=f"""i=0; while [ $i -lt 3000 ]; do printf '{{"a":'; i=$((i+1)); done > {_FILE}""",
        right=_RIGHT,
    ),
    Entry(name="computed-huge", script=f"truncate -s 200M {_FILE}", right=_RIGHT, weight=3),
    Entry(
        name="computed-huge-padded",
        script=f"""echo x > /iexec_out/r; (echo '{{"deterministic-output-path":"/iexec_out/r"'; """
        f"head -c 3000000 /dev/zero | tr '\\0' ' '; echo '}}') > {_FILE}",
        right=_RIGHT,
    ),
)
