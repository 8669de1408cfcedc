"""Causeway: API integration as code. What the functions share."""

import gc

# Importing makes many objects and little garbage; looking for it at every 700th is a tenth of a cold start.
gc.set_threshold(50_000)

__version__ = "0.1.0"
