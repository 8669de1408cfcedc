"""One event on its way to one target: ticket, journal, attempt, retry, steps, giving up."""
