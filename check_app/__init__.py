"""Finds what will cause problems on Lambda, before anything is deployed: `make check-app`."""
