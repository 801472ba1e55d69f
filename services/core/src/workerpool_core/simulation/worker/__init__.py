"""A model of a worker: a journal that survives crashes, a process and stream that do not, and its faults."""
