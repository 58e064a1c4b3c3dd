"""The tags of what is in CloudFront."""

from collections.abc import Mapping
from typing import Any

from sandbox.provider.tags import Tags, tag_map


class CloudFrontTags(Tags):
    """The tags of what is in CloudFront: its lists are structures."""

    def member(self, shape: Any) -> None:
        """Return nothing: tags are set by a call of their own."""

    def read(self, client: Any, answer: Any, known: Mapping[str, Any]) -> dict[str, str]:
        """Return a resource's tags."""
        found = client.list_tags_for_resource(Resource=known["arn"])
        return tag_map(found["Tags"].get("Items"))

    def change(self, client: Any, old: Mapping[str, str], wanted: Mapping[str, str], known: Mapping[str, Any]) -> None:
        """Make the tags the wanted ones."""
        removed = [key for key in old if key not in wanted]
        if removed:
            client.untag_resource(Resource=known["arn"], TagKeys={"Items": removed})
        if wanted:
            items = [{"Key": key, "Value": value} for key, value in sorted(wanted.items())]
            client.tag_resource(Resource=known["arn"], Tags={"Items": items})
