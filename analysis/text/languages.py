"""Languages in one table: name, script, direction, family, and the colour and symbol a picture gives them.

The first fourteen are the languages of the tour corpus; each has a colour and a symbol of its own. A further
language is one more line of the table.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from analysis.errors import InputError

# Okabe-Ito and Tol's qualitative schemes (Okabe and Ito 2008; Tol 2021, SRON/EPS/TN/09-002), only colours with a
# contrast of about 3:1 both on white and on a dark page, chosen for the largest smallest distance in OKLab.
COLOURS = (
    "#0072B2", "#999933", "#B17BA6", "#D55E00", "#009E73", "#A6761D", "#DC050C",
    "#6699CC", "#AA3377", "#666633", "#BB5566", "#EE6677", "#8C4E99", "#228833",
)  # fmt: skip
SYMBOLS = (
    "circle", "square", "diamond", "triangle-up", "cross", "pentagon", "x",
    "triangle-down", "star", "hourglass", "hexagram", "bowtie", "diamond-tall", "octagon",
)  # fmt: skip
UNKNOWN_COLOUR = "#808080"
UNKNOWN_SYMBOL = "circle-open"

_TABLE = """
en English Latn Germanic
de German Latn Germanic
fr French Latn Romance
es Spanish Latn Romance
tr Turkish Latn Turkic
sw Swahili Latn Bantu
ru Russian Cyrl Slavic
el Greek Grek Hellenic
ar Arabic Arab Semitic
hi Hindi Deva Indo-Aryan
zh Chinese Hani Sinitic
ja Japanese Jpan Japonic
ko Korean Kore Koreanic
th Thai Thai Kra-Dai
it Italian Latn Romance
pt Portuguese Latn Romance
nl Dutch Latn Germanic
pl Polish Latn Slavic
uk Ukrainian Cyrl Slavic
cs Czech Latn Slavic
ro Romanian Latn Romance
bg Bulgarian Cyrl Slavic
da Danish Latn Germanic
sv Swedish Latn Germanic
no Norwegian Latn Germanic
fi Finnish Latn Uralic
hu Hungarian Latn Uralic
sl Slovenian Latn Slavic
vi Vietnamese Latn Austroasiatic
id Indonesian Latn Austronesian
he Hebrew Hebr Semitic
fa Persian Arab Iranian
ur Urdu Arab Indo-Aryan
bn Bangla Beng Indo-Aryan
ta Tamil Taml Dravidian
te Telugu Telu Dravidian
ml Malayalam Mlym Dravidian
kn Kannada Knda Dravidian
mr Marathi Deva Indo-Aryan
gu Gujarati Gujr Indo-Aryan
pa Punjabi Guru Indo-Aryan
ne Nepali Deva Indo-Aryan
si Sinhala Sinh Indo-Aryan
sk Slovak Latn Slavic
hr Croatian Latn Slavic
sr Serbian Cyrl Slavic
bs Bosnian Latn Slavic
mk Macedonian Cyrl Slavic
be Belarusian Cyrl Slavic
lt Lithuanian Latn Baltic
lv Latvian Latn Baltic
et Estonian Latn Uralic
sq Albanian Latn Albanian
hy Armenian Armn Armenian
ka Georgian Geor Kartvelian
az Azerbaijani Latn Turkic
kk Kazakh Cyrl Turkic
ky Kyrgyz Cyrl Turkic
uz Uzbek Latn Turkic
tt Tatar Cyrl Turkic
mn Mongolian Cyrl Mongolic
ps Pashto Arab Iranian
ku Kurdish Latn Iranian
tg Tajik Cyrl Iranian
ca Catalan Latn Romance
gl Galician Latn Romance
eu Basque Latn isolate
la Latin Latn Italic
eo Esperanto Latn constructed
ga Irish Latn Celtic
cy Welsh Latn Celtic
is Icelandic Latn Germanic
af Afrikaans Latn Germanic
lb Luxembourgish Latn Germanic
nb Norwegian-Bokmål Latn Germanic
nn Norwegian-Nynorsk Latn Germanic
mt Maltese Latn Semitic
ms Malay Latn Austronesian
tl Tagalog Latn Austronesian
jv Javanese Latn Austronesian
mg Malagasy Latn Austronesian
km Khmer Khmr Austroasiatic
lo Lao Laoo Kra-Dai
my Burmese Mymr Tibeto-Burman
am Amharic Ethi Semitic
so Somali Latn Cushitic
ha Hausa Latn Chadic
yo Yoruba Latn Volta-Niger
ig Igbo Latn Volta-Niger
zu Zulu Latn Bantu
xh Xhosa Latn Bantu
rw Kinyarwanda Latn Bantu
sd Sindhi Arab Indo-Aryan
ug Uyghur Arab Turkic
yi Yiddish Hebr Germanic
sa Sanskrit Deva Indo-Aryan
as Assamese Beng Indo-Aryan
or Odia Orya Indo-Aryan
qu Quechua Latn Quechuan
ht Haitian-Creole Latn creole
yue Cantonese Hani Sinitic
grc Ancient-Greek Grek Hellenic
hbo Biblical-Hebrew Hebr Semitic
"""
_RIGHT_TO_LEFT = frozenset({"Arab", "Aran", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg", "Mand", "Samr"})
_RENAMED = {"iw": "he", "in": "id", "ji": "yi", "fil": "tl", "cmn": "zh", "arb": "ar", "pes": "fa", "swh": "sw"}
_TAG = re.compile(
    r"[a-z]{2,3}(-[a-z]{3}){0,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?(-([a-z\d]{5,8}|\d[a-z\d]{3}))*(-x(-[a-z\d]{1,8})+)?"
)


@dataclass(frozen=True, slots=True)
class Language:
    """What Isogloss knows about one language.

    Attributes:
        tag: BCP-47 tag as it was asked for, normalised ("zh-Hant").
        name: English name, the tag itself where the table has none.
        script: ISO 15924 code of the script it is usually written in, `Zyyy` where unknown.
        direction: `ltr` or `rtl`.
        family: the group a linguist would file it under, "" where unknown.
        colour: hex colour of its marks in every figure.
        symbol: Plotly marker; colour and symbol together are unique in the table.
    """

    tag: str
    name: str
    script: str
    direction: str
    family: str
    colour: str
    symbol: str


def _read_table() -> dict[str, Language]:
    """The table's rows by tag; colour and symbol follow from the position."""
    known = {}
    for n, row in enumerate(_TABLE.split("\n")[1:-1]):
        tag, name, script, family = row.split(" ")
        direction = "rtl" if script in _RIGHT_TO_LEFT else "ltr"
        size = len(COLOURS)
        symbol = SYMBOLS[(n + n // size) % size]
        known[tag] = Language(tag, name.replace("-", " "), script, direction, family, COLOURS[n % size], symbol)
    return known


LANGUAGES = _read_table()
UNDETERMINED = Language("und", "Unknown language", "Zyyy", "ltr", "", UNKNOWN_COLOUR, UNKNOWN_SYMBOL)


@lru_cache(maxsize=4096)
def language(tag: str) -> Language:
    """The entry of a language; never raises.

    Args:
        tag: `zh`, `zh-Hant`, `zh_Hant` ...; a tag the table lacks falls back to its first subtag, an unknown
            one to the entry of `und` with the tag kept.
    """
    try:
        tag = normalise_tag(tag)
    except InputError:
        return replace(UNDETERMINED, tag=str(tag))
    if tag in LANGUAGES:
        return LANGUAGES[tag]
    primary, *subtags = tag.split("-")
    script = next((subtag for subtag in subtags if len(subtag) == 4 and subtag.isalpha()), None)
    base = LANGUAGES.get(primary, UNDETERMINED)
    if base is not UNDETERMINED:
        base = replace(base, name=f"{base.name} ({', '.join(subtags)})")
    elif primary != "und":
        base = replace(base, name=tag)
    if script:
        base = replace(base, script=script, direction="rtl" if script in _RIGHT_TO_LEFT else "ltr")
    return replace(base, tag=tag)


def normalise_tag(tag: str) -> str:
    """The usual spelling of a BCP-47 tag: `zh_hant` becomes `zh-Hant`, `EN-us` `en-US`.

    Raises:
        InputError: the string cannot be a language tag.
    """
    plain = str(tag).strip().replace("_", "-").lower()
    if not _TAG.fullmatch(plain):
        raise InputError(f"{str(tag)[:40]!r} is not a language code; valid: BCP-47 tags such as en, sw, zh_Hant, pt_BR")
    primary, *subtags = plain.split("-")
    spelled = [_RENAMED.get(primary, primary)]
    for subtag in subtags:
        if "x" in spelled:
            spelled.append(subtag)
        elif len(subtag) == 4 and subtag.isalpha():
            spelled.append(subtag.title())
        else:
            spelled.append(subtag.upper() if len(subtag) == 2 else subtag)
    return "-".join(spelled)


def parse_langs(langs: str) -> tuple[str, str]:
    """Two language tags out of `A-B`; within a tag the subtags are joined by underscores (`zh_Hant-en`).

    Raises:
        InputError: not exactly two tags.
    """
    parts = str(langs).split("-")
    if len(parts) != 2:
        raise InputError(f"{str(langs)[:60]!r} is not a language pair; valid: A-B such as en-de or zh_Hant-en")
    return normalise_tag(parts[0]), normalise_tag(parts[1])


def known_tag(text: str) -> str | None:
    """The normalised tag if the string is the code of a language in the table, else None."""
    try:
        tag = normalise_tag(text)
    except InputError:
        return None
    return tag if tag.split("-")[0] in LANGUAGES or tag == "und" else None


def pairs_of(languages: Sequence[str]) -> list[tuple[str, str]]:
    """English with every other language; without English the first with every other."""
    first = "en" if "en" in languages else languages[0]
    return [(first, other) for other in languages if other != first]
