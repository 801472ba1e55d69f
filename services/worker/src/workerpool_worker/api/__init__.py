"""The worker's borders: messages of the scheduler's stream, and what operators read over HTTP."""
