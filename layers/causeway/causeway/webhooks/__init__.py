"""How providers sign what they send: schemes as data, verification, handshakes, receiving."""
