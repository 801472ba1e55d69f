"""The catalogue of deals: what each asks for, and the outcomes that are right for it."""
