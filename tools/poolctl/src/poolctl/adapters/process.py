"""This process as a client of the pool: TLS, passwords without TLS, and a log that stays quiet."""

from workerpool_kit import logs
from workerpool_kit.tls.cleartext import allow_cleartext
from workerpool_kit.tls.identity import TlsIdentity, use_identity
from workerpool_kit.tls.material import TlsError, TlsFiles

from poolctl.errors import UnusableSettings
from poolctl.settings import PoolctlSettings


def prepare(settings: PoolctlSettings, *, verbose: bool) -> None:
    """Apply the settings of connections to this process. Raises UnusableSettings for certificates that are unusable."""
    logs.configure("poolctl", "DEBUG" if verbose else "ERROR")
    allow_cleartext(settings.allow_cleartext)
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise UnusableSettings(
            "WORKERPOOL_TLS_CERTIFICATE (--cert) and WORKERPOOL_TLS_KEY (--key) belong together",
            "set both, or none",
        )
    try:
        use_identity(TlsIdentity(TlsFiles(settings.tls_certificate, settings.tls_key, ca=settings.tls_ca)))
    except TlsError as error:
        raise UnusableSettings(str(error), "correct --ca, --cert and --key") from error
