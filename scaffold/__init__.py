"""Makes a user's own repository: this one's tooling beside an application, and later upgrades of the tooling."""
