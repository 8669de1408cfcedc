"""Polling: APIs read on a schedule, whose records become events."""
