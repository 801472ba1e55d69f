"""The process of a seed: its lives, its journal, and the caller of the pipeline."""
