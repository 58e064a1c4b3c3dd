"""The settings that the sandbox overrides: a domain in a zone that it has, and an image built here."""

from collections.abc import Mapping

from sandbox.settings import Project

ZONE = "sandbox.test"
DOMAIN = f"app.{ZONE}"
PRESETS = (f"domainName={DOMAIN}", "hostedZone=", "imageUri=")


def set_aside(project: Project, own: Mapping[str, object], used: Mapping[str, object]) -> str | None:
    """Return the sentence that says which of the stack's own settings a preset replaces, or None.

    `own` is what the stack's file says, `used` what is deployed, both by full key.
    """
    names = [preset.partition("=")[0] for preset in PRESETS]
    aside = [f"{name} {own[key]}" for name in names if own.get(key := project.full_key(name)) and own[key] != used[key]]
    if not aside:
        return None
    domain = own.get(project.full_key("domainName"))
    mine = f"; --set domainName={domain} --zone ZONE tries your own" if domain else ""
    return f"Not used here: the stack's {' and '.join(aside)}. The sandbox builds the image, and serves {DOMAIN}{mine}"
