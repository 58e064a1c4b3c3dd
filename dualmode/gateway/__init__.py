"""What is between a client and a Lambda function: HTTP API, Runtime API, execution environments.

Standard library only: it runs in the image (RUN_MODE=gateway) and in the sandbox.
"""
