"""Looking through a corpus: rows that match, and which words of a row are linked."""

from collections.abc import Sequence

from analysis.text.corpus import Corpus, Sentence


def find_rows(
    corpus: Corpus, *, languages: Sequence[str] = (), category: str = "", text: str = "", limit: int | None = None
) -> list[int]:
    """The rows that match, in order.

    Args:
        corpus: where to look.
        languages: rows must have one of them, and the text is looked for in these; () for all.
        category: only rows with this label; "" for any.
        text: what the row's id or a sentence must contain, case aside; "" for anything.
        limit: stop after so many.

    Returns:
        0-based row indices.
    """
    wanted = text.strip().casefold()
    found = []
    for n, row in enumerate(corpus.rows):
        if category and (not corpus.categories or corpus.categories[n] != category):
            continue
        tags = [tag for tag in languages or row if tag in row]
        if not tags:
            continue
        if wanted in corpus.row_ids[n].casefold() or any(wanted in row[tag].text.casefold() for tag in tags):
            found.append(n)
        if len(found) == limit:
            break
    return found


def linked_groups(corpus: Corpus, row: int, languages: Sequence[str]) -> list[dict[str, str]]:
    """The words of a row that translate each other, one record a group.

    Args:
        corpus: with concepts or listed links; without either there are no groups.
        row: the row.
        languages: which of its sentences to look at.

    Returns:
        Records from language tag to words, joined by ` … `; `meaning` holds the sense label where concepts
        carry one, `link` says `sure` or `possible` where links are listed.
    """
    sides = {tag: corpus.rows[row][tag] for tag in languages if tag in corpus.rows[row]}
    if any(any(sentence.concepts) for sentence in sides.values()):
        return _concept_groups(sides)
    records = []
    for (a, b), lists in corpus.links.items():
        if a not in sides or b not in sides:
            continue
        for i, j in sorted(lists[row].possible):
            kind = "sure" if (i, j) in lists[row].sure else "possible"
            records.append({a: sides[a].words[i], b: sides[b].words[j], "link": kind})
    return records


def _concept_groups(sides: dict[str, Sentence]) -> list[dict[str, str]]:
    """One record a concept, in the order of the concept numbers."""
    numbers = sorted({concept for sentence in sides.values() for concept in sentence.concepts if concept})
    records = []
    for number in numbers:
        record = {"meaning": ""}
        for tag, sentence in sides.items():
            at = [n for n, concept in enumerate(sentence.concepts) if concept == number]
            record[tag] = " … ".join(sentence.words[n] for n in at)
            senses = [sentence.senses[n] for n in at if n < len(sentence.senses)]
            record["meaning"] = record["meaning"] or next(filter(None, senses), "")
        records.append(record)
    return records
