"""The language that a row or a sentence of a file names itself."""

from analysis.errors import InputError
from analysis.text.languages import language, normalise_tag
from analysis.text.problems import Problems


def stated_tag(value: str, name: str, line: int, problems: Problems) -> str | None:
    """The tag that a file states, in its usual spelling, whether or not the language is a known one.

    Codes of three letters become those of two where there are such (`eng` is `en`), and the usual script of a language
    is left out (`deu_Latn` is `de`), so that one language has one tag in all files.

    Args:
        value: what stands there.
        name: of the file, for the warning.
        line: where it stands.
        problems: told of a value that is no language tag.

    Returns:
        None where nothing is stated, or nothing that is a tag.
    """
    from babel.core import get_global

    if not value.strip():
        return None
    try:
        primary, *rest = normalise_tag(value).split("-")
    except InputError as error:
        problems.add(name, line, f"{error}; it is left aside")
        return None
    tag = normalise_tag("-".join([get_global("language_aliases").get(primary, primary), *rest]))
    short, _, script = tag.partition("-")
    return short if script == language(short).script else tag
