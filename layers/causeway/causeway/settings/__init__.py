"""Environment, clock and secrets."""
