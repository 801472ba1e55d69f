"""The scheduler's decisions: events in, writes and effects out. No I/O, no clock, no await.

`scheduler.Scheduler` holds the state of every live task and worker in memory and is told what
happened (`events`) together with the time. It answers with an `Outcome` (`decisions`): writes that
must be durable first, then effects to carry out. Whoever calls it (the real shell, or the seeded
simulation) owns all I/O. If a write fails the process stops and starts again from the store, so the
memory and the store never disagree for long.
"""
