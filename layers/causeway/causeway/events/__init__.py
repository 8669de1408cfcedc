"""What a system told us: its envelope, what matches it, and the expressions and texts over it."""
