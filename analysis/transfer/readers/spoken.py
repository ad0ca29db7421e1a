"""The language that a row, a sentence or the name of a file states."""

import re
from collections.abc import Sequence
from pathlib import PurePath

from analysis.errors import InputError
from analysis.text.identify import identify_columns, usually_found
from analysis.text.languages import known_tag, language, normalise_tag
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


def named_language(name: str, texts: Sequence[str], problems: Problems) -> str:
    """The language of a file that states none: the one its name says, else the one its text is in.

    A part of a name may be a code by chance (`my_data.tsv`); a name that the text does not agree with is warned of.

    Args:
        name: of the file.
        texts: some of its sentences.
        problems: told of a name and a text that disagree.
    """
    said, read = tag_of_name(name), identify_columns([list(texts)])[0]
    if said is not None and usually_found(said) and read != "und" and said.split("-")[0] != read.split("-")[0]:
        problems.add(
            name, 0, f"taken for {said} by its name, though its text looks like {read}; if so, give FILE:{read}"
        )
    return said or read


def tag_of_name(name: str) -> str | None:
    """The language that a file's name begins or ends with: `de_gsd-ud-dev.conllu`, `fr.test.tsv.gz`, `dev-de.tsv`."""
    parts = [one for one in re.split(r"[-_.]", PurePath(name).name.removesuffix(".gz")) if one]
    if len(parts) > 1 and known_tag(parts[-1]) is None:
        parts.pop()
    ends = [parts[0], parts[-1]] if parts else []
    return next((tag for one in ends if (tag := known_tag(one))), None)
