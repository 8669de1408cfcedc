"""The built-in schemes, a module per family; :mod:`causeway.webhooks.schemes` joins them."""
