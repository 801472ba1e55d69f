"""Start of the frozen `poolworker`: the command line, with certificate authorities of the system that it runs on."""

import os
import ssl
from collections.abc import Iterable, MutableMapping
from pathlib import Path

AUTHORITIES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/ca-bundle.pem"),
    Path("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
)
"""Where Debian, Red Hat and SUSE keep the authorities that they trust."""
_NAMES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def name_authorities(environ: MutableMapping[str, str], files: Iterable[Path], bundled: Path) -> None:
    """Set SSL_CERT_FILE to the first of `files` that exists, or to the bundled file; a choice of the operator stays."""
    if not any(environ.get(name) for name in _NAMES):
        environ["SSL_CERT_FILE"] = str(next((file for file in files if file.is_file()), bundled))


def finds_authorities(cafile: str | None, capath: str | None) -> bool:
    """Return whether OpenSSL finds authorities in the file or the folder where it looks; None where there is none."""
    return cafile is not None or (capath is not None and any(Path(capath).iterdir()))


def main() -> None:
    """Run the command line."""
    # The program carries the OpenSSL of the system that built it, which looks where that system has its authorities.
    paths = ssl.get_default_verify_paths()
    if not finds_authorities(paths.cafile, paths.capath):
        import certifi

        name_authorities(os.environ, AUTHORITIES, Path(certifi.where()))
    from workerpool_worker.cli.app import main as poolworker

    poolworker()


if __name__ == "__main__":
    main()
