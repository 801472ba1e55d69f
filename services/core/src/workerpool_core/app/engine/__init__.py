"""The loop around the scheduler: mailbox, group commit, effects."""
