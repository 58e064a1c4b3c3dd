"""What the site has to say."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """A page of the site."""

    name: str
    title: str
    text: str


NOTES = {
    note.name: note
    for note in (
        Note("cold-starts", "Cold starts", "The first request of a copy of the function waits for its start."),
        Note("files", "Files", "CloudFront keeps files near the visitors. The function isn't asked for them again."),
        Note("pages", "Pages", "Each page is made by the function, for its visitor, and kept by nobody."),
    )
}


def with_word(word: str) -> list[Note]:
    """Returns the notes that have a word, in capital or small letters; all of them for an empty one."""
    return [note for note in NOTES.values() if word.lower() in f"{note.title} {note.text}".lower()]
