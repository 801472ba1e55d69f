"""The use cases of the result proxy."""
