"""Pure rules of sharing: no I/O, no framework, standard library only."""
