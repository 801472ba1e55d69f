"""Explanations for requesters: what happened, whose side it is on, and the next step. Pure, and computed when asked."""
