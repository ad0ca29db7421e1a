"""Head and relation of every word: biaffine attention over the words of a sentence."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.training.pooling import pool_words
from analysis.transfer.encoding import Batch, Encoded
from analysis.transfer.heads.head import Head, View, labels_of
from analysis.transfer.heads.sequence import cross_entropy
from analysis.transfer.heads.spanning_tree import best_tree
from analysis.transfer.item import Item, Tree

if TYPE_CHECKING:
    import torch

ARC, RELATION = 256, 128  # widths of the vectors that arcs and relations are scored by; the paper's are 500 and 100
SLOPE = 0.1  # of LeakyReLU below zero, as in the authors' code
NEVER = -1e4  # the score of a head that cannot be; finite, so that differences of scores stay so


class BiaffineHead(Head):
    """Scores every word, and a learned root, as the head of every other word.

        arc(i, j) = [a_i; 1]' U b_j,  a = MLP(words), b = MLP(root and words)
        relation(i, j, r) = [c_i; 1]' V_r [d_j; 1],  c and d likewise
        L = mean -log softmax_j arc(i, head of i) + mean -log softmax_r relation(i, head of i, relation of i)

    A tree is the head of the best score for every word where these make a tree with one root, else the tree with one
    root and the best sum (Chu and Liu 1965; Edmonds 1967). A relation `root` goes to the word below the root and to no
    other. A word that was cut off or has no subword is no decision and no head; its tree says 0 and "" for it, which
    counts as an error. A relation that training never saw is no part of the loss.

    Shapes: words (sentences, longest + 1, dim), the root at 0; arcs (sentences, longest, longest + 1).

    Source: Dozat and Manning 2017, Deep biaffine attention for neural dependency parsing, sections 3.1 and 3.2; there
    on a BiLSTM of three layers, with tags as input, and with dropout shared by all words of a sentence.

    Args:
        items: to learn from; they name the relations.
        dim: width of the encoder.
        settings: `head_dropout`.
    """

    def __init__(self, items: Sequence[Item], dim: int, settings: Any) -> None:
        import torch

        labels = labels_of(items, lambda item: item.label.relations)

        def mlp(width: int) -> Any:
            """One hidden layer."""
            return torch.nn.Sequential(
                torch.nn.Linear(dim, width), torch.nn.LeakyReLU(SLOPE), torch.nn.Dropout(settings.head_dropout)
            )

        module: Any = torch.nn.Module()
        module.root = torch.nn.Parameter(torch.randn(dim) * 0.02)
        module.dropout = torch.nn.Dropout(settings.head_dropout)
        module.arc_word, module.arc_head = mlp(ARC), mlp(ARC)
        module.relation_word, module.relation_head = mlp(RELATION), mlp(RELATION)
        module.arcs = torch.nn.Parameter(torch.randn(ARC + 1, ARC) / ARC)
        module.relations = torch.nn.Parameter(torch.randn(len(labels), RELATION + 1, RELATION + 1) / RELATION)
        super().__init__(labels, module)
        roots = np.array([label.partition(":")[0] == "root" for label in labels])
        self.roots = roots if roots.any() and not roots.all() else None

    def outputs(self, view: View) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor]":
        """Scores of arcs, and the vectors that relations are scored by.

        Returns:
            (sentences, longest, longest + 1) arcs from each word to the root and to each word;
            (sentences, longest, width + 1) words; (sentences, longest + 1, width + 1) root and words as heads.
        """
        import torch

        sides, module = view.batch.first, self.module
        place, there = _padded(sides)
        flat = torch.cat([module.root[None], pool_words(view.first, sides)])  # type: ignore[arg-type]
        device = flat.device
        words = flat.index_select(0, torch.from_numpy(place.reshape(-1)).to(device)).view(*place.shape, -1)
        words = module.dropout(words)
        arcs = torch.einsum(
            "nwa,ab,nhb->nwh", _with_one(module.arc_word(words[:, 1:])), module.arcs, module.arc_head(words)
        )
        longest = place.shape[1] - 1
        closed = ~there[:, None, :] | np.eye(longest, longest + 1, 1, dtype=bool)[None]  # no word is its own head
        arcs = arcs.masked_fill(torch.from_numpy(closed).to(device), NEVER)
        return arcs, _with_one(module.relation_word(words[:, 1:])), _with_one(module.relation_head(words))

    def relation_scores(self, outputs: Any, row: np.ndarray, word: np.ndarray, head: np.ndarray) -> "torch.Tensor":
        """(arcs, relations) scores of the relations of some arcs.

        Args:
            outputs: of the batch.
            row: (arcs,) sentence of each.
            word: (arcs,) its word, counted from 0.
            head: (arcs,) its head, counted from 1, 0 for the root.
        """
        import torch

        _, words, heads = outputs
        one = words.flatten(0, 1).index_select(0, torch.from_numpy(row * words.shape[1] + word).to(words.device))
        other = heads.flatten(0, 1).index_select(0, torch.from_numpy(row * heads.shape[1] + head).to(words.device))
        return torch.einsum("ka,rab,kb->kr", one, self.module.relations, other)

    def loss(self, outputs: Any, batch: Batch) -> "torch.Tensor":
        """Mean cross-entropy of the heads plus that of the relations at the right heads."""
        import torch

        arcs = outputs[0]
        known: list[tuple[int, int, int, int]] = []
        for row, (item, one) in enumerate(zip(batch.items, batch.first, strict=True)):
            assert isinstance(item.label, Tree)
            there = {-1, *one.word.tolist()}
            known += [
                (row, word, head, self.place(name))
                for word, (head, name) in enumerate(zip(item.label.heads, item.label.relations, strict=True))
                if name and word in there and head - 1 in there
            ]
        rows, words, heads, names = np.array(known, dtype=np.int64).reshape(-1, 4).T
        picked = arcs.flatten(0, 1).index_select(0, torch.from_numpy(rows * arcs.shape[1] + words).to(arcs.device))
        relations = self.relation_scores(outputs, rows, words, heads)
        return cross_entropy(picked, heads.tolist()) + cross_entropy(relations, names.tolist())

    def predict(self, outputs: Any, batch: Batch) -> list[Tree]:
        """The best tree of each sentence."""
        arcs = outputs[0].detach().float().cpu().numpy().astype(np.float64)
        decided: list[tuple[int, int, int]] = []
        for row, one in enumerate(batch.first):
            there = np.unique(one.word)
            if len(there):
                numbers = np.concatenate([[0], there + 1])
                chosen = numbers[best_tree(arcs[row][np.ix_(there, numbers)])]
                decided += [(row, word, head) for word, head in zip(there.tolist(), chosen.tolist(), strict=True)]
        rows, words, heads = np.array(decided, dtype=np.int64).reshape(-1, 3).T
        scores = self.relation_scores(outputs, rows, words, heads).detach().float().cpu().numpy()
        if self.roots is not None:
            scores = np.where(self.roots[None] == (heads == 0)[:, None], scores, -np.inf)
        heads_of = [[0] * one.words for one in batch.first]
        names_of = [[""] * one.words for one in batch.first]
        for (sentence, at, above), name in zip(decided, scores.argmax(axis=1), strict=True):
            heads_of[sentence][at], names_of[sentence][at] = above, self.labels[name]
        return [Tree(tuple(above), tuple(names)) for above, names in zip(heads_of, names_of, strict=True)]


def _padded(sides: Sequence[Encoded]) -> tuple[np.ndarray, np.ndarray]:
    """(sentences, longest + 1) rows of the root (0) and of each word (from 1) among all words, and which are there."""
    longest = max(one.words for one in sides)
    place = np.zeros((len(sides), longest + 1), dtype=np.int64)
    there = np.zeros((len(sides), longest + 1), dtype=bool)
    there[:, 0] = True
    done = 0
    for row, one in enumerate(sides):
        place[row, 1 : one.words + 1] = np.arange(done + 1, done + one.words + 1)
        there[row, one.word + 1] = True
        done += one.words
    return place, there


def _with_one(vectors: "torch.Tensor") -> "torch.Tensor":
    """The vectors with a one behind each."""
    import torch

    return torch.cat([vectors, torch.ones_like(vectors[..., :1])], dim=-1)
