"""The answer to the request for a session."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CreatedSession:
    """The URL from which the enclave fetches its secrets; `unattested`: the session needs no proof of an enclave."""

    session_id: str
    provisioning_url: str
    unattested: bool
