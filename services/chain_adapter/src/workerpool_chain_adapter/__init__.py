"""The pool owner's transactions."""
