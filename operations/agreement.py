"""Which settings to set after the alias was moved, so that the next `pulumi up` does not move it back."""

from operations.deployment import Deployment

NEWEST = 0
"""The value of `liveVersion` that means the newest version."""


def settings_for(deployment: Deployment, live_version: int) -> list[str]:
    """Return the commands that make the stack's settings agree with a version that gets all requests."""
    stack = deployment.name_for_pulumi
    return [f"pulumi config set liveVersion {live_version}{stack}", f"pulumi config set canaryPercent 0{stack}"]


def advice(deployment: Deployment, live_version: int) -> str:
    """Return the sentence with those commands."""
    return f"So that the next `pulumi up` agrees, run: {' && '.join(settings_for(deployment, live_version))}"
