"""Certificates of an authority that lives as long as a test, in the files that a process reads."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from workerpool_kit.tls.identity import TlsIdentity, use_identity
from workerpool_kit.tls.material import TlsFiles

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


class Authority:
    """Issues certificates into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = trustme.CA()
        self.file = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(str(self.file))

    def issue(self, name: str = "own", *names: str, days: float = 90, mutual: bool = False) -> TlsFiles:
        """Write a certificate for this host and its key; return the files, the authority's included.

        A second call with the same `name` replaces them, each file at once, as an orchestrator does.
        """
        until = datetime.now(UTC) + timedelta(days=days)
        since = until - timedelta(days=365)
        issued = self.ca.issue_cert(*(names or LOCAL_NAMES), not_before=since, not_after=until)
        files = TlsFiles(
            self.folder / f"{name}.pem",
            self.folder / f"{name}.key",
            ca=self.file,
            client_ca=self.file if mutual else None,
        )
        chain = b"".join(part.bytes() for part in issued.cert_chain_pems)
        replace(files.key, issued.private_key_pem.bytes())
        replace(files.certificate, chain)
        return files


def replace(path: Path | None, content: bytes) -> None:
    """Replace a file at once."""
    assert path is not None
    new = path.with_suffix(".new")
    new.write_bytes(content)
    os.replace(new, path)


@contextmanager
def identity_of(files: TlsFiles) -> Iterator[TlsIdentity]:
    """Make the files the TLS identity of this process inside the context."""
    own = TlsIdentity(files)
    former = use_identity(own)
    try:
        yield own
    finally:
        use_identity(former)
