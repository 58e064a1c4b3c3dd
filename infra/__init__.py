"""Describes the cloud: one component in each file, wired together by `__main__.py`."""
