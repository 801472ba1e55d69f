"""The chain adapter: sends the pool owner's transactions, as idempotent commands kept in a journal."""
