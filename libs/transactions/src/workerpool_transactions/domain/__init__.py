"""Values and decisions of the pipeline: no clock, no I/O, no await."""
