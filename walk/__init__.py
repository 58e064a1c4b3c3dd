"""Follows a request through an AWS account (the sandbox's or a real one), from DNS to the image, with boto3 only."""
