"""The rules of the PoCo protocol: pure values and functions, no I/O."""
