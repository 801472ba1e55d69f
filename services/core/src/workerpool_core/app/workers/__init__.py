"""Workers: login, sessions, messages, heartbeats, assignments."""
