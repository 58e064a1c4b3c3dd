"""What API Gateway does: a request becomes an event, a result becomes a response."""
