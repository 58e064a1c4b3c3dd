"""Follows a request through an AWS account, from DNS to the image, by boto3 alone: the sandbox's or a real one."""
