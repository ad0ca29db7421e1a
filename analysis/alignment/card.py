"""The model card of an aligned encoder, written from its isogloss.json."""

from collections.abc import Mapping
from typing import Any


def model_card(card: Mapping[str, Any]) -> str:
    """The README.md of an aligned encoder's folder.

    Args:
        card: the content of isogloss.json.

    Returns:
        Markdown: what it is, how to use it, how it was made, its text with licences, its development scores.
    """
    kind = card.get("kind", "maps")
    covered = (
        f"Languages with a map: {', '.join(card['languages'])}; a language without one keeps the base's vectors."
        if kind == "maps"
        else f"Trained on: {', '.join(card['languages'])}; every other language changes with them."
    )
    parts = [
        f"# {card['summary']} on {card['base']}",
        f"Made by Isogloss with {_methods(card)} from `{card['base']}` (revision {card['base_revision']}). {covered}",
        _use(kind), _made(card), _text(card), _scores(card),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _use(kind: str) -> str:
    """How to load it, here and without Isogloss."""
    lines = ["## Use", "", "```python", "from analysis import load_encoder", "",
             'encoder = load_encoder("path/to/this/folder")', "```"]  # fmt: skip
    if kind == "adapter":
        lines += ["", "Or without Isogloss, on the same base:", "", "```python", "from peft import PeftModel",
                  "from transformers import AutoModel", "",
                  'model = PeftModel.from_pretrained(AutoModel.from_pretrained("path/to/the/base"), '
                  '"path/to/this/folder")', "```"]  # fmt: skip
    if kind == "full":
        lines += ["", 'Or without Isogloss: `AutoModel.from_pretrained("path/to/this/folder")`.']
    return "\n".join(lines)


def _methods(card: Mapping[str, Any]) -> str:
    """`the method X`, or the methods of several runs in their order."""
    names = [f"`{one['method']}`" for one in card.get("stages", [card])]
    return f"the method {names[0]}" if len(names) == 1 else f"the methods {', then '.join(names)}"


def _made(card: Mapping[str, Any]) -> str:
    """How to make it again."""
    command = f"\n\n```\n{card['command']}\n```" if card.get("command") else ""
    return f"## How it was made{command}\n\n" + "\n\n".join(_run(one) for one in card.get("stages", [card]))


def _run(card: Mapping[str, Any]) -> str:
    """Settings, seed, steps and text of one run."""
    settings = ", ".join(f"{key}={value}" for key, value in card["settings"].items())
    steps = ""
    if "steps" in card:
        linked = f"pairs with {card['links_used']:,} word links (own links from layer {card['link_layer']})"
        linked = linked if card["links_used"] else "pairs or sentences"
        steps = (
            f" {card['steps']:,} steps on {sum(card['pairs'].values()):,} {linked}{_limit(card)} in {card['precision']}; "
            f"the weights of step {card['kept_step']:,} were kept."
        )
    return f"Settings of `{card['method']}`: {settings}. Seed {card['seed']}.{steps}"


def _limit(card: Mapping[str, Any]) -> str:
    """What `max_pairs` left of the data in the table below."""
    most = card["settings"].get("max_pairs")
    return f", at most {most:,} pairs of a language (max_pairs)," if most else ""


def _text(card: Mapping[str, Any]) -> str:
    """The text it was trained on."""
    lines = [f"- {one['name']}: {one['origin']} ({one['licence'] or 'licence not stated'})" for one in card["sources"]]
    lines += [
        f"- dictionary {one['name']}: {'-'.join(one['languages'])}, {one['entries']:,} word pairs, "
        f"{one.get('origin') or 'origin not stated'} ({one.get('licence') or 'licence not stated'}; SHA-256 "
        f"{one['sha256'][:12]})" for one in card.get("dictionaries", ())
    ]  # fmt: skip
    lines += [
        f"- {one['sentences']:,} sentences in {one['language']} without translations (SHA-256 {one['sha256'][:12]})"
        for one in card.get("text", ())
    ]
    tests = sorted({one["name"] for one in card["sources"] if one["name"].startswith("set:") and "test" in one["name"]})
    if tests:
        lines.append(
            f"- Never score this encoder on {', '.join(tests)}: the sentences of that test split were its text."
        )
    rows = ["| data | languages | pairs | word links | SHA-256 |", "| --- | --- | ---: | --- | --- |"]
    rows += [f"| {one['name']} | {'-'.join(one['languages'])} | {one['pairs']:,} | {one['links']} | {one['sha256'][:12]} |"
             for one in card["data"]]  # fmt: skip
    return "\n".join(["## Text", "", *lines, "", *rows])


def _scores(card: Mapping[str, Any]) -> str:
    """Development scores; test sets are never looked at here."""
    if not card.get("development"):
        return "## Scores\n\nNo development data were given, so nothing is claimed."
    rows = ["| data | languages | measure | n | base | aligned | change, 95 % interval |",
            "| --- | --- | --- | ---: | ---: | ---: | ---: |"]  # fmt: skip
    rows += [
        f"| {one['data']} | {'-'.join(one['languages'])} | {one['measure']} | {one['n']:,} | {one['base']:.1f} "
        f"| {one['aligned']:.1f} | {one['difference']:+.1f} [{one['low']:+.1f}, {one['high']:+.1f}] |"
        for one in card["development"]
    ]
    chosen = card.get("links")
    links = (
        f"\n\nWord alignment: layer {chosen['layer']}, {chosen['decoder']}, {chosen['level']} level." if chosen else ""
    )
    return "## Scores on development data\n\n" + "\n".join(rows) + links
