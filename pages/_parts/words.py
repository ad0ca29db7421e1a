"""A sentence with its words to click, and lists of words marked in their sentences; safe for every script."""

import html
from collections.abc import Sequence

import streamlit as st

from analysis.figures import theme
from analysis.neighbours.query import cut_around
from analysis.neighbours.translations import Neighbour
from analysis.text.corpus import Corpus, Sentence
from analysis.text.languages import language
from pages._parts import chrome

MOST = 120  # words to click at once; a longer sentence shows those around the chosen word
STYLE = f"""
<style>
.iso-list {{ width: 100%; border-collapse: collapse; font-family: {theme.FONT}; font-size: .9rem;
  table-layout: fixed }}
.iso-list th {{ font-weight: normal; opacity: .65; text-align: left; font-size: .75rem; padding: 0 .3rem }}
.iso-list td {{ padding: .18rem .3rem; border-top: 1px solid {theme.LINE}; vertical-align: top;
  overflow-wrap: anywhere; line-height: 1.4 }}
.iso-list .n {{ width: 2.6rem; text-align: right; font-variant-numeric: tabular-nums }}
.iso-list .s {{ width: 3.4rem; text-align: right; font-variant-numeric: tabular-nums }}
.iso-list .c {{ width: 5.2rem; text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }}
.iso-list mark, .iso-sentence mark {{ background: color-mix(in srgb, {theme.ACCENT} 28%, transparent); color: inherit;
  border-radius: 3px; padding: 0 .15em }}
.iso-list tr.true td:nth-child(2) {{ border-left: 3px solid {theme.ACCENT} }}
.iso-up {{ color: #2E9E5B }} .iso-down {{ color: #D9534F }} .iso-same {{ opacity: .6 }}
.iso-sentence {{ font-family: {theme.FONT}; font-size: 1.05rem; line-height: 1.7; overflow-wrap: anywhere }}
</style>
"""


def sentence_html(sentence: Sentence, position: int | None = None, *, width: int = 600) -> str:
    """HTML of one sentence in its own direction, a word of it marked; everything escaped.

    Args:
        sentence: of any length; a long one is cut around the word.
        position: the word to mark, None for none.
        width: about how many characters to show.
    """
    start, end = sentence.spans[position] if position is not None else (0, 0)
    shown = chrome.marked(*cut_around(sentence.text, start, end, width=width), sentence.language)
    way = language(sentence.language).direction
    return f'<div class="iso-sentence" dir="{way}">{_isolated(shown)}</div>'


def _isolated(marked: str) -> str:
    """Marked text that cannot turn round what stands beside it."""
    return f"<bdi>{marked}</bdi>"


def pick_word(sentence: Sentence, key: str, chosen: int | None) -> int | None:
    """Pills of the words of a sentence, in its own direction; gives the position of the word clicked.

    Args:
        sentence: whose words to show.
        key: of the widget; another sentence must have another key.
        chosen: the word marked so far.
    """
    count = len(sentence.spans)
    first = max(0, min((chosen or 0) - MOST // 2, count - MOST))
    options = list(range(first, min(count, first + MOST)))
    way = language(sentence.language).direction
    box = f"words-{way}"
    with st.container(key=f"{box}-{key}"):
        if way == "rtl":
            st.html(f'<style>[class*="st-key-{box}-"] [data-testid="stButtonGroup"] {{ direction: rtl }}</style>')
        labels = unique_labels([sentence.words[n] for n in options])
        picked = st.pills(
            "Word", options, default=chosen if chosen in options else None, key=f"pills {key} {chosen}",
            format_func=lambda n: labels[n - first], label_visibility="collapsed",
        )  # fmt: skip
    if count > MOST:
        st.caption(
            f"Words {first + 1} to {options[-1] + 1} of {count:,}; the sentence is too long to show all of them."
        )
    return picked


def unique_labels(words: Sequence[str], width: int = 40) -> list[str]:
    """Labels without Markdown, cut to a width; repeated words get invisible marks, so that all differ."""
    seen: dict[str, int] = {}
    labels = []
    for word in words:
        label = chrome.plain(word[:width]) or "·"
        seen[label] = seen.get(label, 0) + 1
        labels.append(label + "\u2060" * (seen[label] - 1))
    return labels


def neighbour_list(corpus: Corpus, tag: str, lines: Sequence[Neighbour], side: str, other: str) -> str:
    """HTML of a list of neighbours: rank, the word in its sentence, score, and its rank on the other side.

    Args:
        corpus: where the neighbours stand.
        tag: their language.
        lines: nearest first.
        side: `A` or `B`; B says how far each word has moved against A, A where B has it.
        other: the other side.
    """
    head = f'<tr><th class="n">rank</th><th>{html.escape(language(tag).name)}, in its sentence</th>'
    head += f'<th class="s">score</th><th class="c">{"against A" if side == "B" else f"rank in {other}"}</th></tr>'
    return f'<table class="iso-list">{head}{"".join(_line(corpus, tag, line, side) for line in lines)}</table>'


def _line(corpus: Corpus, tag: str, line: Neighbour, side: str) -> str:
    """One row of the list."""
    sentence = corpus.rows[line.row][tag]
    shown = chrome.marked(*cut_around(sentence.text, *sentence.spans[line.position], width=90), tag)
    way = language(tag).direction
    cells = (
        f'<td class="n">{line.rank:,}</td><td dir="{way}">{_isolated(shown)}</td>'
        f'<td class="s">{line.score:.2f}</td><td class="c">{_moved(line, side)}</td>'
    )
    title = ' class="true" title="the true translation"' if line.translation else ""
    return f"<tr{title}>{cells}</tr>"


def _moved(line: Neighbour, side: str) -> str:
    """The rank on the other side, for B with the way it has moved."""
    if line.other_rank is None:
        return "–"
    change = line.other_rank - line.rank
    if side == "A":
        return f"{line.other_rank:,}"
    if not change:
        return '<span class="iso-same">same</span>'
    way = ("iso-up", "▲") if change > 0 else ("iso-down", "▼")
    return f'<span class="{way[0]}">{way[1]} {abs(change):,}</span> <span class="iso-same">({line.other_rank:,})</span>'
