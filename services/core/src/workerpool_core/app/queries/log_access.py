"""Gives requesters the compute logs of their tasks for a signed challenge (EIP-712, in the form of iExec's tools)."""

import secrets

from workerpool_kit.clock import Clock
from workerpool_poco.errors import InvalidSignature
from workerpool_poco.protocol.ids import TaskId, address, from_hex, to_hex
from workerpool_poco.protocol.typed_data import LogChallenge, recover_challenge_signer

from workerpool_core.app.ports import ComputeLogs
from workerpool_core.app.queries.task_queries import TaskQueries
from workerpool_core.app.workers.challenges import OpenChallenges
from workerpool_core.errors import BadChallenge, BadSignature, NotTheRequester

CHALLENGE_LIFETIME_S = 3600.0


class LogAccess:
    """Issues log challenges, and returns logs for signed ones. A challenge opens one answer."""

    def __init__(self, queries: TaskQueries, clock: Clock, chain_id: int) -> None:
        self._queries = queries
        self._chain_id = chain_id
        self._open: OpenChallenges[LogChallenge] = OpenChallenges(clock, lifetime_s=CHALLENGE_LIFETIME_S)

    def challenge(self, requester: str) -> LogChallenge:
        """Return the challenge that a requester signs, the same one for an hour or until it opened an answer."""
        given = self._open.issue(
            address(requester), lambda: LogChallenge(secrets.token_urlsafe(32), self._chain_id)
        )
        return given.challenge

    async def logs(
        self, task_id: TaskId, requester: str, signature: str, wallet: str = "", *, claimed_hash: str = ""
    ) -> list[ComputeLogs]:
        """Return the logs of a task, or of one worker when `wallet` is given, to its requester.

        `claimed_hash` is the hash that the caller claims to have signed; empty skips its check. Raises BadChallenge,
        BadSignature, UnknownTask or NotTheRequester.
        """
        requester = address(requester)
        known = self._open.of(requester)
        if known is None:
            raise BadChallenge("this address has no open log challenge; request one and sign it")
        challenge = known.challenge
        if claimed_hash and claimed_hash.lower() != to_hex(challenge.hash):
            raise BadChallenge("another challenge was signed; request one and sign it")
        try:
            signer = recover_challenge_signer(challenge, from_hex(signature))
        except (InvalidSignature, ValueError) as error:
            raise BadSignature("the signature is malformed") from error
        if signer != requester:
            raise BadSignature(
                "this address did not sign the log challenge; sign it with the requester's wallet"
            )
        task = await self._queries.task(task_id)
        if address(task.terms.requester) != requester:
            raise NotTheRequester("only the requester of a task may read its logs")
        if self._open.of(requester) is not known:
            raise BadChallenge(
                "this log challenge has opened another answer meanwhile; request a new one and sign it"
            )
        self._open.consume(requester)
        return await self._queries.logs(task_id, address(wallet) if wallet else "")
