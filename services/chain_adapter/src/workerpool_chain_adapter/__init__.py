"""The chain adapter, which sends the pool owner's transactions as idempotent, journaled commands."""
