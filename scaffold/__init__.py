"""A repository of one's own: this one's tooling beside an application, and newer tooling taken in later."""
