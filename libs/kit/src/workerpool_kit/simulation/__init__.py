"""Deterministic simulations: many seeds on all processors, or one seed with a trace."""
