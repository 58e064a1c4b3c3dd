"""What stands between a client and a Lambda function: HTTP API, Runtime API, environments.

Standard library only: it runs in the image (RUN_MODE=gateway) and in the sandbox.
"""
