"""The rules of the PoCo protocol: values and functions without I/O and clock."""
