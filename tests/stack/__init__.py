"""The pool as its operators start it: images, compose files, their settings and secrets."""
