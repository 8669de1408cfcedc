"""One call to a system: address guard, authentication, request, timeouts, what the answer means."""
