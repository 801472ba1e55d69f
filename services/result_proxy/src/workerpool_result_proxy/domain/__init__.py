"""The pure decisions of the result proxy: values in, values or a refusal out; no I/O, no clock, no await."""
