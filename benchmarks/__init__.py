"""Measures the runtime side by side with what else a user would pick, on this machine, with one command."""
