"""Messages on the queue: their format, putting them there, and the claim check for large ones."""
