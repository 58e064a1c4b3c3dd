"""One corpus of requests, and what may differ between the answers of two modes of one image."""
