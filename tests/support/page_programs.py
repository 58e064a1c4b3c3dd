"""The programs on the page about the components."""

import re

from tests.support.provided import ROOT


def page_s_program(language):
    """The page's program in a language, as its reader copies it."""
    page = (ROOT / "docs" / "components.md").read_text()
    return re.search(rf"```{language}\n(.*?)```", page, re.DOTALL)[1]
