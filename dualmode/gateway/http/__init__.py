"""HTTP on a socket: reads requests, writes responses, decides who may talk to a server."""
