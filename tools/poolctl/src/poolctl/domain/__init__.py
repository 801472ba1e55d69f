"""Decisions of poolctl: facts in, findings, explanations and plans out. No I/O, no clock."""
