"""HTTP on a socket: requests read, responses written, who may speak to a server."""
