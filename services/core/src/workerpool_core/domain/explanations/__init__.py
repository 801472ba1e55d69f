"""Explanations for requesters: what happened, whose fault it is, and the next step; pure, computed on request."""
