"""What people do with a running stack: look, replay, close the books. The console and the CLI share it."""
