"""One thing that an application does that works differently on Lambda: where, what, and the solution."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """A place in an application, what happens there on Lambda, and what to use instead."""

    file: str
    """Path from the repository, or the subject of the finding, if that isn't a file."""
    line: int = 0
    """From 1; 0 where the finding is about the whole file."""
    what: str
    instead: str = ""
    """What to do; empty where `what` is a whole sentence that says so itself."""
    above: str = ""
    """What is shown above it, such as a traceback."""
    stops: bool = False
    """Whether the application can't work at all as it is."""

    def __str__(self) -> str:
        """The finding as a compiler writes a warning."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        said = f"{place}: {'error' if self.stops else 'warning'}: {self.what}"
        return "\n".join(filter(None, (self.above, said, f"    {self.instead}" if self.instead else "")))
