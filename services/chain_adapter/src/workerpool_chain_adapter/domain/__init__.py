"""Pure decisions of the chain adapter: no clock, no I/O, no await."""
