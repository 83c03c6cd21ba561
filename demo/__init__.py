"""The demo: real programs on this machine, and what it shares with compose."""
