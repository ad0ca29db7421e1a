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
    parts = [
        f"# {card['summary']} on {card['base']}",
        f"Made by Isogloss with the method `{card['method']}` from `{card['base']}` (revision {card['base_revision']}). "
        f"Languages with a map: {', '.join(card['languages'])}; a language without one keeps the base's vectors.",
        "## Use\n\n```python\nfrom analysis import load_encoder\n\nencoder = load_encoder(\"path/to/this/folder\")\n```",
        _made(card), _text(card), _scores(card),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _made(card: Mapping[str, Any]) -> str:
    """How to make it again."""
    settings = ", ".join(f"{key}={value}" for key, value in card["settings"].items())
    command = f"\n\n```\n{card['command']}\n```" if card.get("command") else ""
    return f"## How it was made{command}\n\nSettings: {settings}. Seed {card['seed']}."


def _text(card: Mapping[str, Any]) -> str:
    """The text it was trained on."""
    lines = [f"- {one['name']}: {one['origin']} ({one['licence'] or 'licence not stated'})" for one in card["sources"]]
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
