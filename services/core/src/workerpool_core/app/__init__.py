"""The use cases: what happens on an event of the chain, a worker, a caller or the clock.

`engine` passes events to the scheduler and executes its decisions; `ports` declares what the use cases need.
"""
