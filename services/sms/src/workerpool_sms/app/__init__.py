"""Use cases of the SMS, and their ports."""
