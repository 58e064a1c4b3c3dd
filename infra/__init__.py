"""Describes the cloud resources: one component in each file; `__main__.py` connects them."""
