"""A Pulumi program of its own: the role with which GitHub Actions deploys."""
