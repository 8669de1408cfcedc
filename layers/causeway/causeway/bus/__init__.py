"""Events from the stack's bus: which are brought, whom they concern, and accepting them."""
