"""Accepting events, however they come: one message per event and integration, all of them stored."""
