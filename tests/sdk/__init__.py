"""Tests that drive the published iExec command lines, unmodified, against a devnet."""
