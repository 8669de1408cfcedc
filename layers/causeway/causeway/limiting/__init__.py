"""What a system can take: how often it may be called, how often at once, and whether it answers."""
