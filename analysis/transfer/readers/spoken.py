"""The language that a row or a sentence of a file names itself."""

from analysis.errors import InputError
from analysis.text.languages import normalise_tag
from analysis.text.problems import Problems


def stated_tag(value: str, name: str, line: int, problems: Problems) -> str | None:
    """The tag that a file states, in its usual spelling, whether or not the language is a known one.

    Args:
        value: what stands there.
        name: of the file, for the warning.
        line: where it stands.
        problems: told of a value that is no language tag.

    Returns:
        None where nothing is stated, or nothing that is a tag.
    """
    if not value.strip():
        return None
    try:
        return normalise_tag(value)
    except InputError as error:
        problems.add(name, line, f"{error}; the language is taken from the texts")
        return None
