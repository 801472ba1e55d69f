"""The state that a command sets for its whole process, kept from the tests after it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from workerpool_kit.tls.cleartext import allow_cleartext
from workerpool_kit.tls.identity import identity, use_identity


@contextmanager
def process_state_kept() -> Iterator[None]:
    """Restore log, TLS identity and leave to send credentials in clear as they were before."""
    log, root, own = structlog.get_config(), logging.getLogger(), identity()
    handlers, level = list(root.handlers), root.level
    allowed = allow_cleartext(False)
    allow_cleartext(allowed)
    try:
        yield
    finally:
        allow_cleartext(allowed)
        use_identity(own)
        logging.captureWarnings(False)
        root.handlers = handlers
        root.setLevel(level)
        structlog.configure(**log)
