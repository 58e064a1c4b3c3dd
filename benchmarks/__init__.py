"""Measures the runtime side by side with its alternatives, on this machine, with one command."""
