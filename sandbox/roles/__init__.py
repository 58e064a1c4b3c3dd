"""What functions may do in the sandbox's AWS: sessions of their roles, and what the roles' policies allow."""
