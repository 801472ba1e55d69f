"""Passes the heads of the chain to a pipeline, with the newest finalized block of the node."""

from workerpool_kit.logs import get_logger
from workerpool_kit.runtime.tasks import start_task
from workerpool_poco.chain.finality import FinalizedTag
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.protocol.model import Block

from workerpool_transactions.app.pipeline import Pipeline

log = get_logger()


class HeadFeed:
    """The heads of one pipeline. Reads the finalized block only while the pipeline awaits finality."""

    def __init__(self, rpc: JsonRpc, pipeline: Pipeline) -> None:
        """Create it without a request to the node."""
        self._pipeline = pipeline
        self._finalized = FinalizedTag(
            rpc,
            waits=lambda: pipeline.awaits_finality,
            on_ignored=lambda problem: log.warning("finality.tag_ignored", error=problem),
            create_task=start_task,
        )

    def take(self, head: Block) -> None:
        """Pass a new head on."""
        self._pipeline.head_changed(head, self._finalized.take(head))

    async def stop(self) -> None:
        """Cancel a request."""
        await self._finalized.stop()
