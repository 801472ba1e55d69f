"""Deals, and the creation of their tasks as workers can serve them.

A bag may have a million tasks. Only a window of tasks without a worker exists at a time; further ones are created when
tasks get workers, when tasks end, and when workers connect. An event creates few tasks, so that no bag delays the
others. Tasks that do not exist at the contribution deadline are never created; they cost nothing and are logged.
"""

from workerpool_poco.protocol.ids import DealId, task_id_of
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.decisions import DealRemoved, DealSaved
from workerpool_core.domain.dispatch import satisfiability
from workerpool_core.domain.dispatch.hardware import needs_enclave
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveDeal
from workerpool_core.domain.model import DealTerms, PoolDeal, Receipt, Task, TaskChange
from workerpool_core.domain.state import State
from workerpool_core.domain.tasks.initialization import set_deadlines
from workerpool_core.domain.timers import Timeout

_MAX_PER_EVENT = 64
"""Tasks that one event creates; creating one takes about 0.1 ms."""
_PARAMS_PER_TASK = 16_384
"""Characters of a deal's texts that count as one task; each stored task repeats the terms."""
_SLICE = 8
"""Tasks that a deal gets before the next deal gets some."""
_OPEN_FACTOR = 16
"""Unfinished tasks of a deal, in windows: tasks that wait for their results on chain hold no slot."""
_DEALS_AT_FULL_WINDOW = 16
"""Windows that may be full at once. With more bags each has `_LEAST` tasks without a worker."""
_LEAST = 4
_GROUPS = 4
"""Parts of a window that are created together."""


def is_executable(terms: DealTerms, now: float) -> bool:
    """Return whether a deal's tasks can be executed.

    The deal must have tasks and a contribution deadline in the future, and an enclave excludes a trust above 1.
    """
    if terms.bot_size <= 0 or terms.contribution_deadline <= now:
        return False
    return not needs_enclave(terms.tag) or terms.trust <= 1


def take_deal(context: EventContext, terms: DealTerms) -> None:
    """Add a deal of a followed block and create its first tasks; a known deal is kept, so a replay is harmless.

    A deal that a reorganisation moved to another block gets the deadlines of that block.
    """
    if not is_executable(terms, context.now):
        return
    state = context.state
    live = state.deals.get(terms.deal_id)
    if live is None:
        live = LiveDeal(PoolDeal(terms), terms.bot_first)
        state.add_deal(live)
        _save(context, live)
    elif live.deal != PoolDeal(terms):
        live.deal = PoolDeal(terms)
        _save(context, live)
        for task_id in live.tasks:
            _update_terms(context, state.tasks[task_id].task, terms)
    if live.queued:
        state.request_refill(terms.deal_id)
        _create(context, live, _room(state, live), followed=True)


def _save(context: EventContext, live: LiveDeal) -> None:
    terms = live.deal.terms
    context.writes.append(DealSaved(live.deal))
    context.state.timers.set(Timeout.DEAL, terms.deal_id, terms.contribution_deadline)


def _update_terms(context: EventContext, task: Task, terms: DealTerms) -> None:
    if task.terms != terms:
        context.state.waiting.remove(task.task_id)
        transitions.update_task(context, task, terms=terms)
        context.tasks_to_match[task.task_id] = None
        if not task.ended:
            set_deadlines(context, task)


def start(context: EventContext, unsaved: frozenset[DealId]) -> None:
    """Set the timers of the loaded deals, and request further tasks for them."""
    for live in context.state.deals.values():
        terms = live.deal.terms
        if terms.deal_id in unsaved:
            context.writes.append(DealSaved(live.deal))
        context.state.timers.set(Timeout.DEAL, terms.deal_id, terms.contribution_deadline)
    capacity_changed(context)


def capacity_changed(context: EventContext) -> None:
    """Request further tasks for every bag after the number of slots changed."""
    for deal_id in context.state.bags:
        context.state.request_refill(deal_id)


def removed(context: EventContext, ancestor: int) -> None:
    """Stop creating tasks of deals that a reorganisation removed, until they appear again."""
    for live in context.state.deals.values():
        if live.deal.on_chain and live.deal.terms.block > ancestor:
            live.deal = PoolDeal(live.deal.terms, on_chain=False)
            context.writes.append(DealSaved(live.deal))


def expired(context: EventContext, deal_id: DealId) -> None:
    """Remove a deal whose contribution deadline passed; its missing tasks can never be contributed."""
    live = context.state.deals.get(deal_id)
    if live is None:
        return
    deadline = live.deal.terms.contribution_deadline
    if context.now < deadline:
        context.state.timers.set(Timeout.DEAL, deal_id, deadline)
        return
    terms = live.deal.terms
    context.state.drop_deal(terms.deal_id)
    context.writes.append(DealRemoved(terms.deal_id, live.queued if live.deal.on_chain else 0))


# --- creation -----------------------------------------------------------------------------------


def window(state: State) -> int:
    """Return how many tasks of a deal may exist without a worker."""
    return max(state.policy.tasks_ahead, int(state.policy.tasks_ahead_per_slot * state.slots))


def _room(state: State, live: LiveDeal) -> int:
    """Return how many tasks of a deal may be created now."""
    if not live.deal.on_chain:
        return 0
    size = window(state)
    if state.unserved >= _DEALS_AT_FULL_WINDOW * size:
        size = min(_LEAST, size)
    if satisfiability.verdict(state, live.deal.terms):
        # The tasks would start but never reach a consensus.
        size = min(size, state.policy.tasks_ahead)
        return max(min(size - len(live.open), live.queued), 0)
    room = min(size - len(live.unserved), _OPEN_FACTOR * size - len(live.open), live.queued)
    return max(room, 0)


def _is_worthwhile(state: State, live: LiveDeal, room: int) -> bool:
    """Return whether to create tasks now: in groups, because initializations share a transaction."""
    return room >= min(max(window(state) // _GROUPS, 1), live.queued)


def refill(context: EventContext) -> bool:
    """Create tasks of the deals that may get some, in turns; return whether there are new ones.

    Tasks beyond the limit of one event are created in a later event.
    """
    state = context.state
    before = context.created_tasks
    waiting, state.refills = state.refills, {}
    while waiting and context.created_tasks < _MAX_PER_EVENT:
        deal_id = next(iter(waiting))
        is_filling = waiting.pop(deal_id)
        live = state.bags.get(deal_id)
        room = _room(state, live) if live is not None else 0
        if live is None or room == 0 or not (is_filling or _is_worthwhile(state, live, room)):
            continue
        created = context.created_tasks
        _create(context, live, min(room, _SLICE), followed=False)
        if live.queued:
            waiting[deal_id] = True
            if context.created_tasks == created:
                break
    if waiting:
        state.refills.update(waiting)
        state.timers.set(Timeout.REFILL, "", context.now)
    return context.created_tasks > before


def _create(context: EventContext, live: LiveDeal, count: int, *, followed: bool) -> None:
    """Create up to `count` tasks; `followed`: the block of the deal, with its logs, is being followed."""
    terms, state = live.deal.terms, context.state
    weight = 1 + _text_length(terms) // _PARAMS_PER_TASK
    while count > 0 and context.created_tasks * weight < _MAX_PER_EVENT:
        index = live.next_index
        live.next_index += 1
        count -= 1
        task_id = task_id_of(terms.deal_id, index)
        if task_id not in state.tasks:
            received = TaskChange(TaskStatus.RECEIVED, context.now, Receipt(terms.block))
            task = Task(task_id, index, terms, [received])
            transitions.create_task(context, task)
            set_deadlines(context, task)
            satisfiability.check(context, state.tasks[task_id])
            if not followed:
                # The task may exist on chain, and its logs may precede its creation in core.
                context.read_task(task)
    if not live.queued:
        state.bags.pop(terms.deal_id, None)
        state.refills.pop(terms.deal_id, None)


def _text_length(terms: DealTerms) -> int:
    texts = [terms.command_line, terms.app_uri, terms.dataset_uri, *terms.input_files]
    return sum(map(len, texts)) + sum(len(key) + len(name) for key, name in terms.secrets)
