"""Walks each request through what was created, and answers as AWS would."""
