"""Sessions of workers: login, streams, messages, heartbeats, assignments."""
