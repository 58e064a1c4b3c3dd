"""The page of a sandbox that serves: what is deployed, and what happens to each request, in a browser."""
