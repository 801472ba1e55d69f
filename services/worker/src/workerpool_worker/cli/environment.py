"""The environment of a command: settings, TLS, and a log that stays quiet unless something fails."""

from workerpool_kit import logs
from workerpool_kit.process import version_of
from workerpool_kit.settings.environment import load
from workerpool_kit.tls.cleartext import allow_cleartext
from workerpool_kit.tls.identity import TlsIdentity, use_identity
from workerpool_kit.tls.material import TlsFiles

from workerpool_worker.settings import WorkerSettings

NAME = "poolworker"


def own_version() -> str:
    """Return the version of this worker."""
    return version_of(WorkerSettings)


def enter() -> WorkerSettings:
    """Read the worker's settings and prepare this process for its connections. Raises SettingsError or TlsError."""
    logs.configure(NAME, "ERROR")
    settings = load(WorkerSettings)
    allow_cleartext(settings.allow_cleartext)
    use_identity(
        TlsIdentity(
            TlsFiles(settings.tls_certificate, settings.tls_key, settings.tls_ca, settings.tls_client_ca)
        )
    )
    return settings
