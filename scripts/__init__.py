"""What a user's application runs in, inside the container: the modes, and the way from a Lambda event to WSGI."""
