"""The event loop around the scheduler: mailbox, group commit, effects."""
