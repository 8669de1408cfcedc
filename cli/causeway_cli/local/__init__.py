"""The local cloud: the whole stack on this machine, on an emulated AWS."""
