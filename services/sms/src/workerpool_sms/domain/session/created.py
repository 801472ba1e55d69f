"""The answer to the request for a session."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CreatedSession:
    """Where the enclave fetches its secrets; `unattested` marks a session that needs no proof of an enclave."""

    session_id: str
    provisioning_url: str
    unattested: bool
