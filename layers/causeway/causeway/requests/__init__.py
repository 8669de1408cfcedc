"""Requests: an integration carries out what a client asks, while it waits or after it."""
