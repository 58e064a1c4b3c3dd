"""What a person does with a deployment, on AWS or in a sandbox: logs, invocations, releases, checks."""
