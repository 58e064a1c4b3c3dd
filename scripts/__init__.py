"""What a user's application runs in, inside the container: the modes, and the translation from Lambda events to WSGI."""
