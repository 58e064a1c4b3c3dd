"""`versions`: the published versions of the function, their images, and which of them get requests."""

import argparse

from operations import deployment, live_alias, published
from operations.output import show_json, show_table

_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("--all", action="store_true", help=f"all versions, not only the newest {_SHOWN}")
    deployment.add_arguments(parser)


def run(options: argparse.Namespace) -> bool:
    """Print the versions, newest first."""
    found = deployment.find(options)
    live = live_alias.read(found)
    every = published.versions(found)[::-1]
    rows = [
        {
            "version": version.number,
            "published": version.published,
            "image": published.digest_of(published.image_of(found, version.name)),
            "share": round(live.share(version.name), 4),
            "state": version.state,
            "description": version.description,
        }
        for version in every
        if options.all or version in every[:_SHOWN] or live.share(version.name)
    ]
    if options.json:
        show_json(rows)
        return True
    show_table(
        ("VERSION", "PUBLISHED (UTC)", "IMAGE", "REQUESTS", "DESCRIPTION"),
        (
            (
                str(row["version"]),
                str(row["published"])[:19].replace("T", " "),
                str(row["image"])[:19] or "-",
                f"{100 * float(str(row['share'])):g} %" if row["share"] else "",
                str(row["description"]),
            )
            for row in rows
        ),
    )
    return True
