"""Which public sets are here, with their splits and languages, for forms that offer them."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from analysis.text.sets import MULTIWAY, PAIRED

# Sets with a single split, which calls itself `test`, that serve as training text all the same.
TRAINABLE_TESTS = ("tatoeba",)
TRAIN, DEV = ("train", "dev-a"), ("dev", "dev-b")


@dataclass(frozen=True)
class Listed:
    """One split of a public set that is here.

    Attributes:
        set: name of the set.
        split: one of its splits.
        languages: their tags, English first where it is among them.
        gold: whether it brings word links made by people.
    """

    set: str
    split: str
    languages: tuple[str, ...]
    gold: bool = False

    @property
    def key(self) -> str:
        """`set:NAME:SPLIT`, the name without its languages."""
        return f"set:{self.set}:{self.split}"

    def name(self, languages: tuple[str, ...]) -> str:
        """`set:NAME:LANGS:SPLIT` for some of its languages."""
        langs = "-".join(languages) if len(languages) == 2 else ",".join(languages)
        return f"set:{self.set}:{langs}:{self.split}"


def list_sets(splits: tuple[str, ...], *, data_dir: str | Path | None = None) -> list[Listed]:
    """The splits of public sets that are here, by name of the set.

    Args:
        splits: the splits wanted, `TRAIN` or `DEV`, of which a set gives the last it has: half of a split rather
            than the whole, which would overlap the other half. `TRAIN` also gives sets of one split.
        data_dir: the folder of the sets; `ISOGLOSS_DATA` by default.

    Returns:
        Nothing where nobody said where the sets lie.
    """
    root = str(data_dir or os.environ.get("ISOGLOSS_DATA") or "")
    if not root:
        return []
    found = []
    for name, (_, pattern, offered) in sorted({**MULTIWAY, **PAIRED}.items()):
        folder = Path(root).expanduser() / name
        wanted = [split for split in splits if split in offered][-1:]
        if splits == TRAIN and name in TRAINABLE_TESTS:
            wanted = ["test"]
        for split in wanted if folder.is_dir() else ():
            here = {match[1] for path in folder.iterdir() if (match := re.fullmatch(pattern(split), path.name))}
            tags = sorted({"en", *here} if name in PAIRED else here, key=lambda tag: (tag != "en", tag))
            if len(tags) > 1:
                gold = name.startswith("wordalign") and split != "train"
                found.append(Listed(name, split, tuple(tags), gold))
    return found
