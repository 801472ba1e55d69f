"""Start-up checks: the folder for temporary files. The chain is checked while the proxy runs (`HubView.watch`)."""

from workerpool_kit.process import StartupError

from workerpool_result_proxy.adapters.files.threads import FileThreads
from workerpool_result_proxy.adapters.files.workspace import TemporaryFolder
from workerpool_result_proxy.domain.archive_rules import ArchiveLimits
from workerpool_result_proxy.settings import ResultProxySettings


def open_workspace(settings: ResultProxySettings, threads: FileThreads) -> TemporaryFolder:
    """Create the folder for temporary files. Raises StartupError when it is not writable."""
    workspace = TemporaryFolder(
        settings.upload_folder, threads, ArchiveLimits(max_bytes=settings.max_unpacked_size)
    )
    try:
        workspace.open()
    except OSError as error:
        raise StartupError(
            f"cannot write to {settings.upload_folder} ({error.strerror}); "
            "set IEXEC_RESULT_PROXY_TEMP_DIR to another folder"
        ) from error
    return workspace
