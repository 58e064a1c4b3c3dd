"""The file in which the pulumi command keeps a stack's state, and beside it the state before the last step."""

import json
from pathlib import Path

from sandbox.errors import SandboxError


def drop_attributes(backend: Path) -> None:
    """Remove what the command's storage keeps beside each file where it isn't told not to.

    It needs none of it, and refuses a file beside which it was cut off ("failed to load checkpoint: EOF").
    Source: gocloud.dev, blob/fileblob/attrs.go.
    """
    for file in (backend / ".pulumi").rglob("*.attrs"):
        file.unlink(missing_ok=True)


def restore(checkpoint: Path) -> bool:
    """Take the state before the last step where the last one was cut off; return whether it was.

    The state before has all that was made until then, and what the command was about to do.
    Source: pulumi/pulumi, pkg/backend/diy/state.go, `saveCheckpoint`.

    Raises:
        SandboxError: both were cut off.
    """
    before = checkpoint.with_name(f"{checkpoint.name}.bak")
    if _is_whole(checkpoint):
        return False
    if not _is_whole(before):
        raise SandboxError(
            f"The stack's state {checkpoint} and the one before it, {before.name}, were cut off while they were "
            "written: begin anew with another --state, or delete the state folder."
        )
    if before.exists():
        before.replace(checkpoint)
    else:
        checkpoint.unlink()  # the first one that was written: nothing was made
    return True


def _is_whole(file: Path) -> bool:
    """Whether a state can be read, or isn't there."""
    try:
        json.loads(file.read_bytes())
    except FileNotFoundError:
        return True
    except ValueError:
        return False
    return True
