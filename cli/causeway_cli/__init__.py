"""The ``causeway`` command and the local cloud; never deployed."""
