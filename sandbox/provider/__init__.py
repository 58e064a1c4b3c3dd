"""Pulumi's resource types in plain boto3: what the real providers would create, in any AWS that answers."""
