"""Train and development rows of a corpus whose rows come in families.

Interface texts repeat one template over and over; a random split would put its copies on both sides. Here a
whole group (an integration, a block of neighbouring resources) goes to one side, chosen by a hash of its name,
so the same group falls the same way on every machine and after rows were added.
"""

import hashlib
from enum import StrEnum

from analysis.errors import unknown

DEV_PERCENT = 10


class Split(StrEnum):
    """A side of the split."""

    TRAIN = "train"
    DEV = "dev"


SPLITS = tuple(str(split) for split in Split)


def split_of(category_or_id: str) -> Split:
    """The side a group goes to: about 90 percent of the groups train, the others are for development.

    Args:
        category_or_id: the group's name, or the id of a row of it; what follows the first dot is not looked at,
            so `zha` and `zha.config.error` go together.
    """
    group = category_or_id.partition(".")[0]
    number = int.from_bytes(hashlib.sha256(group.encode("utf-8")).digest()[:8], "big")
    return Split.DEV if number % 100 < DEV_PERCENT else Split.TRAIN


def parse_split(name: str | None, corpus: str) -> Split | None:
    """The split of that name; None, for all rows, stays None.

    Raises:
        InputError: no such split of the corpus.
    """
    if name is None:
        return None
    if name not in list(Split):
        raise unknown(f"split of corpus {corpus}", name, Split)
    return Split(name)
