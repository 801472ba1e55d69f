"""Signs the versions that entries in flight need: at today's fee, at a higher offer, or empty."""

from collections.abc import Sequence
from dataclasses import replace

from workerpool_kit.logs import get_logger

from workerpool_transactions import metrics
from workerpool_transactions.app.context import Context
from workerpool_transactions.domain.answers import FeeQuote
from workerpool_transactions.domain.entry import Call, Offer, Version
from workerpool_transactions.domain.item import Item, Wanted
from workerpool_transactions.domain.steering import pause_s

log = get_logger()


class Versions:
    """Signs and journals versions; the sender then sends them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def renew(self, wanting: Sequence[Item]) -> None:
        """Give items the versions that they need. Raises ChainUnreachable."""
        context = self._context
        wanting = await self._unless_known(wanting)
        if not wanting:
            return
        # The refusal may be newer than the cached quote.
        quote = await context.fees.quote(0)
        wanting = self._with_those_below_the_base_fee(wanting, quote)
        transfer = await context.transfer() if any(map(_needs_transfer, wanting)) else None
        versions = list[tuple[Item, Version]]()
        for item in wanting:
            offer = self._offer(item, quote)
            version = None if offer is None else self._version(item, offer, transfer)
            if version is None:
                self._give_up(item, quote)
            elif version.hash == item.entry.latest.hash:
                # The fee fell again, or nothing about the empty transfer changed: the same bytes will do.
                item.wanted, item.due_at = None, context.timer.time() + pause_s(item.failures)
            else:
                versions.append((item, version))
        if versions:
            await self._journal(versions)

    async def _unless_known(self, wanting: Sequence[Item]) -> list[Item]:
        """Return the items without those whose call a node took after all, though another one refuses it."""
        context = self._context
        refused = [e for e in wanting if e.wanted is Wanted.EMPTY and not _needs_only_empty(e)]
        if not refused:
            return list(wanting)
        known = await context.node.known([v.hash for each in refused for v in each.entry.versions])
        for each in refused:
            held = [version for version in each.entry.versions if version.hash in known]
            if held:
                each.waits(each.entry.latest, context.timer.time(), context.queue.block)
        return list(context.queue.wanting())

    def _with_those_below_the_base_fee(self, wanting: Sequence[Item], quote: FeeQuote) -> list[Item]:
        """Return the items with those that today's base fee holds back too: one write serves all."""
        base_fee, policy = quote.base_fee or 0, self._context.policy
        items = {each.nonce: each for each in wanting}
        first = min(items)
        for each in self._context.queue.in_window():
            is_idle = each.wanted in (None, Wanted.FEE) and not each.is_sending and not each.is_ending
            may = each.known_at is None or self._context.profile.has_mempool
            paid = each.entry.latest.offer
            is_low = paid.max_fee < base_fee and policy.replacement(paid, quote) is not None
            if is_idle and may and is_low and policy.reaches(quote) and each.nonce > first:
                items[each.nonce] = each
                each.wanted = Wanted.REPLACEMENT if each.known_at is not None else Wanted.FEE
                each.due_at = None
        return [items[nonce] for nonce in sorted(items)]

    def _offer(self, item: Item, quote: FeeQuote) -> Offer | None:
        """Return what the next version pays; None when the limits forbid what is needed."""
        policy, paid = self._context.policy, item.entry.latest.offer
        fresh = policy.offer(quote)
        if item.wanted is Wanted.EMPTY:
            # An empty transfer that is refused too needs another gas limit, not another offer.
            return paid if item.entry.latest.is_empty else policy.replacement(paid, quote) or fresh
        if item.wanted is Wanted.FEE:
            if fresh.max_fee > paid.max_fee:
                return fresh
            accepted = self._context.queue.fee_hold.accepted
            if accepted is not None and accepted.max_fee > paid.max_fee:
                return accepted
            # A node's own minimum may be above what the header says.
            return paid if policy.reaches(quote) and item.failures <= 1 else policy.raised(paid, quote)
        return policy.replacement(paid, quote)

    def _version(self, item: Item, offer: Offer, transfer: Call | None) -> Version:
        signer, entry = self._context.signer, item.entry
        if transfer is not None and _needs_transfer(item):
            return replace(signer.sign(entry.nonce, transfer, offer), is_empty=True)
        gas = min(entry.call.gas, self._context.profile.gas_ceiling)
        return signer.sign(entry.nonce, replace(entry.call, gas=gas), offer)

    def _give_up(self, item: Item, quote: FeeQuote) -> None:
        context, policy = self._context, self._context.policy
        if item.wanted is Wanted.REPLACEMENT:
            paid = item.entry.latest.offer.max_fee
            log.warning(
                "transaction.cap_reached", wallet=context.wallet, nonce=item.nonce, paid=paid, cap=policy.cap
            )
        parked = context.queue.brake.parked_reason
        context.queue.give_up(item, policy.reason_of_limit(quote), context.timer.time())
        context.say_parked(parked)

    async def _journal(self, versions: Sequence[tuple[Item, Version]]) -> None:
        context = self._context
        async with context.writes:
            # Some may have ended meanwhile.
            still = [each for each in versions if each[0].nonce in context.queue and not each[0].is_ending]
            now = context.clock.now()
            renewed = [item.entry.replaced_by(version, now) for item, version in still]
            await context.journal.save(renewed)
            for (item, version), entry in zip(still, renewed, strict=True):
                self._count(item, version)
                # The first refusal of a fee is answered at once, further ones with growing pauses.
                pause = pause_s(item.failures - 1) if item.failures > 1 else 0.0
                item.renewed(entry, context.timer.time() + pause)

    def _count(self, item: Item, version: Version) -> None:
        context = self._context
        context.replacements += 1
        metrics.REPLACEMENTS.labels(context.wallet).inc()
        log.info(
            "transaction.replaced",
            wallet=context.wallet,
            nonce=item.nonce,
            reason=item.wanted.value if item.wanted else "",
            paid=item.entry.latest.offer.max_fee,
            pays=version.offer.max_fee,
        )


def _needs_transfer(item: Item) -> bool:
    return item.wanted is Wanted.EMPTY or item.entry.latest.is_empty


def _needs_only_empty(item: Item) -> bool:
    return item.entry.is_filler or item.entry.latest.is_empty
