"""The rules for names and paths of a domain, before anything is made."""

import re
from collections.abc import Sequence

from infra.rules import refuse

ROUTE53, EXTERNAL = "route53", "external"
"""Who answers for a domain in DNS: a zone of this account, or a provider elsewhere."""

DOMAIN = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
"""Domain names of two labels or more, the first of which may be `*`. Source: RFC 1123, section 2.1."""

LONGEST_DOMAIN = 64
"""Characters that the first name of a certificate may have.

Source: `RequestCertificate`, AWS Certificate Manager API Reference.
"""

LONGEST_NAME = 253
"""Characters that a name may have in DNS, and a further name in a certificate. Source: the same."""

ZONE_ID = re.compile(r"Z[A-Z0-9]{5,31}")
"""Ids of hosted zones. Source: `ResourceId`, Route 53 API Reference, for the length; each one begins with Z."""

BASE_PATH = re.compile(r"[A-Za-z0-9$_.+!*'()-]+(?:/[A-Za-z0-9$_.+!*'()-]+)*")
"""Keys of an API mapping.

Source: "Map API stages to a custom domain name for HTTP APIs", API Gateway Developer Guide; aws/aws-cdk#23362 for the
slashes.
"""

LONGEST_BASE_PATH = 300
"""Characters that an API mapping's key may have. Source: the same."""


def check_domain_name(key: str, given: str) -> None:
    """A domain must have a syntax and length that a certificate allows."""
    name = normal(given)
    if name:
        _check_syntax(key, given)
    if len(name) > LONGEST_DOMAIN:
        refuse(key, given, f"a certificate's name has {LONGEST_DOMAIN} characters at most", "set a shorter one")


def check_aliases(key: str, given: Sequence[str]) -> None:
    """Further names must be domain names, each one once."""
    names = [normal(alias) for alias in given]
    for place, alias in enumerate(given):
        _check_syntax(f"{key}[{place}]", alias)
        if len(names[place]) > LONGEST_NAME:
            refuse(f"{key}[{place}]", alias, f"a name has {LONGEST_NAME} characters at most", "set a shorter one")
        if names[place] in names[:place]:
            refuse(f"{key}[{place}]", alias, f"{key}[{names.index(names[place])}] is the same name", "remove one")


def check_base_path(key: str, given: str) -> None:
    """A base path must be one that API Gateway takes as the key of a mapping, and that clients don't rewrite."""
    path = given.strip("/")
    if given and (not BASE_PATH.fullmatch(path) or {".", ".."} & set(path.split("/"))):
        rule = "it is made of letters, digits and $-_.+!*'(), in parts with one / between them"
        refuse(key, given, rule, "set one such as v1 or shop/v1")
    if len(path) > LONGEST_BASE_PATH:
        refuse(key, f"{given[:20]}...", f"it has {LONGEST_BASE_PATH} characters at most", "set a shorter one")


def check_provider(key: str, given: str) -> None:
    """DNS is Route 53's or somebody else's."""
    if given not in (ROUTE53, EXTERNAL):
        refuse(
            key,
            given,
            "a domain's records are either in a zone of this account or elsewhere",
            f"set {ROUTE53} or {EXTERNAL}",
        )


def check_names(domain_name: str, aliases: Sequence[str], base_path: str, hosted_zone: str, dns_provider: str) -> None:
    """Refuses settings of a domain that contradict each other; the names are normal ones.

    Raises:
        ConfigError: they are for a domain that isn't set, a name is there twice, or the zone can't hold one of them.
    """
    if not domain_name:
        for key, value, what in (
            ("hostedZone", hosted_zone, "it is the zone of domainName, and domainName is not set"),
            ("aliases", list(aliases), "they are further names of domainName, and domainName is not set"),
            ("basePath", base_path, "it is a path of domainName, and domainName is not set"),
            (
                "dnsProvider",
                dns_provider if dns_provider != ROUTE53 else "",
                "it says where the records of domainName are, and domainName is not set",
            ),
        ):
            if value:
                refuse(key, value, what, "set domainName as well")
        return
    if dns_provider == EXTERNAL and hosted_zone:
        remedy = f"remove one of the two, or set dnsProvider to {ROUTE53}"
        refuse("hostedZone", hosted_zone, f"dnsProvider is {EXTERNAL}, so no zone of this account is used", remedy)
    for place, alias in enumerate(aliases):
        if alias == domain_name:
            refuse(f"aliases[{place}]", alias, "that is domainName itself", "remove it")
    if dns_provider == ROUTE53 and not is_zone_id(hosted_zone):
        check_in_zone(hosted_zone, zone_of(domain_name, hosted_zone), domain_name, aliases)


def check_in_zone(given: str, zone: str, domain_name: str, aliases: Sequence[str]) -> None:
    """Refuses names that a zone can't hold; `given` is the setting as it is written.

    Raises:
        ConfigError: a name doesn't end in the zone's name.
    """
    if not _holds(zone, domain_name):
        its_end = f"the zone's name, {zone}" if is_zone_id(given) else "it"
        rule = f"domainName {domain_name} does not end with {its_end}"
        refuse("hostedZone", given, rule, "set the zone that the domain belongs to")
    for place, alias in enumerate(aliases):
        if not _holds(zone, alias):
            refuse(
                f"aliases[{place}]",
                alias,
                f"it is not in the zone {zone}, where domainName is",
                "remove it, or set hostedZone to a zone that holds both",
            )


def zone_of(domain_name: str, hosted_zone: str) -> str:
    """Returns the zone that holds a domain: the one given, or its parent, or itself if it has two labels."""
    if hosted_zone:
        return normal(hosted_zone)
    return domain_name.split(".", 1)[1] if domain_name.count(".") > 1 else domain_name


def is_zone_id(hosted_zone: str) -> bool:
    """Says whether a zone is given by its id; a public zone's name has two labels or more."""
    return ZONE_ID.fullmatch(hosted_zone) is not None


def normal(name: str) -> str:
    """Returns a domain name as AWS writes it: in lower case, without a dot at the end."""
    return name.rstrip(".").lower()


def proved_name(name: str) -> str:
    """Returns the name that a certificate's validation record is for: a wildcard and its parent share one."""
    return name.removeprefix("*.")


def _check_syntax(key: str, given: str) -> None:
    if not DOMAIN.fullmatch(normal(given)):
        refuse(key, given, "that is not a domain name", "set a name such as api.example.com, in ASCII")


def _holds(zone: str, name: str) -> bool:
    return name == zone or name.endswith(f".{zone}")
