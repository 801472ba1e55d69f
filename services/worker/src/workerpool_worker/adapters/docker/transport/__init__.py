"""The ways to the engine that the SDK lacks."""
