"""The scheduler's decisions, without I/O, clock or `await`.

`scheduler.Scheduler` holds every live task and worker in memory. Its caller, the engine or the seeded simulation,
passes it events (`events`) with the time and receives an `Outcome` (`decisions`): writes that must become durable
first, then effects to execute. The caller owns all I/O. If a write fails, the process stops and restarts from the
store, so memory and store cannot diverge.
"""
