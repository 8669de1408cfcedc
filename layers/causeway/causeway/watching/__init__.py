"""Watching: each minute, whether all goes as the owners expect; whoever has to know is told of changes."""
