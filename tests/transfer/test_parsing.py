"""Trees: the reader, the search for the best tree, the loss by hand, learning, and attachment scores."""

from itertools import product

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.registry import find
from analysis.text.corpus import Sentence
from analysis.text.lines import Source
from analysis.text.problems import Problems
from analysis.transfer.heads.spanning_tree import best_tree
from analysis.transfer.item import Dataset, Item, Tree
from analysis.transfer.readers.conllu import is_tree, read_trees
from analysis.transfer.reading import read_labelled
from analysis.transfer.structure_metrics import LAS
from tests.transfer.material import train, weights

pytestmark = pytest.mark.fast
DET = {"the", "a"}
TEXTS = ("the dog jumps over a fox", "a quick dog jumps", "the lazy fox jumps over the river bank", "the bank",
         "dogs jumps", "a brown fox jumps over a bank", "the quick brown fox jumps", "jumps")  # fmt: skip


def conllu(*rows):
    """A sentence of a file: rows of number, form, head and relation."""
    return "".join(f"{n}\t{form}\t_\t_\t_\t_\t{head}\t{name}\t_\t_\n" for n, form, head, name in rows) + "\n"


GOOD = conllu((1, "dogs", 2, "nsubj"), (2, "bark", 0, "root"))


def read(text, name="en_test-ud-dev.conllu", language=None):
    problems = Problems()
    return read_trees(Source.of(text.encode(), name), language, problems), problems


def tree(text):
    """A toy grammar: the verb is the root, else the last noun; what stands before a noun hangs on it."""
    words = text.split()
    root = words.index("jumps") if "jumps" in words else len(words) - 1
    ends = [n for n in range(len(words)) if n != root and (n + 1 == len(words) or n + 1 == root)]
    heads, names = [], []
    for n, word in enumerate(words):
        if n == root:
            heads.append(0), names.append("root")
        elif n in ends:
            heads.append(root + 1), names.append("nsubj" if n < root else "obl")
        else:
            end = next((e for e in ends if e > n), root)
            heads.append(end + 1), names.append("det" if word in DET else "case" if word == "over" else "amod")
    return Item(text, Sentence.from_words(words, "en"), Tree(tuple(heads), tuple(names)))


def trees():
    return Dataset("en.conllu", "en", tuple(tree(text) for text in TEXTS))


def test_words_are_those_of_the_tree():
    text = "# text = al perro\n" + "1-2\tal\t" + "\t".join("_" * 8) + "\n"
    text += conllu((1, "a", 3, "case"), (2, "el", 3, "det"), ("2.1", "x", "_", "_"), (3, "perro", 0, "root"))
    (found,), problems = read(GOOD + text, "es_gsd.conllu")
    assert not len(problems)
    assert (found.language, [one.id for one in found.items]) == ("es", ["1", "2"])
    assert found.items[1].sentence.words == ("a", "el", "perro")
    assert found.items[1].label == Tree((3, 3, 0), ("case", "det", "root"))
    assert [one.where for one in found.items] == ["es_gsd.conllu:1", "es_gsd.conllu:4"]


@pytest.mark.parametrize(
    ("bad", "line", "message"),
    [
        ("1\tonly\tthree\n\n", 4, "3 columns where CoNLL-U has 10"),
        (conllu((1, "a", "x", "det"), (2, "b", 0, "root")), 4, "head 'x' of word 1 is not a number"),
        (conllu((1, "a", -1, "det"), (2, "b", 0, "root")), 4, "is not a number"),
        (conllu((1, "a", 0, "root"), (2, "b", 3, "det")), 5, "head 3 is no word of the sentence, which has 2"),
        (conllu((1, "a", 0, "root"), (2, "b", 3, "x"), (3, "c", 2, "x")), 4, "cycle"),
        (conllu((1, "a", 1, "x"), (2, "b", 0, "root")), 4, "cycle"),
        (conllu((1, "a", 0, "root"), (2, "b", 0, "root")), 4, "2 words have head 0"),
        (conllu((1, "a", 2, "root"), (2, "b", 1, "root")), 4, "0 words have head 0"),
        (conllu((1, "a", 0, "_")), 4, "has no relation"),
        (conllu((1, "", 0, "root")), 4, "has no form"),
        (conllu((2, "a", 0, "root")), 4, "word number '2' where 1 is due"),
    ],
)
def test_a_bad_row_costs_its_sentence_and_names_its_line(bad, line, message):
    (found,), problems = read(GOOD + bad + GOOD)
    (problem,) = problems
    assert [one.id for one in found.items] == ["1", "3"]
    assert (problem.source, problem.line) == ("en_test-ud-dev.conllu", line)
    assert message in problem.message
    assert "left out" in problem.message


def test_languages_of_a_file():
    mixed = "# lang = de\n" + GOOD + GOOD
    assert [(one.language, len(one)) for one in read(mixed)[0]] == [("de", 1), ("en", 1)]
    assert [one.language for one in read(mixed, language="fi")[0]] == ["fi"]
    words = ("Der", "Hund", "springt", "über", "den", "faulen", "Fuchs")
    spoken = conllu(*((n + 1, word, n, "x") for n, word in enumerate(words)))
    assert [one.language for one in read(spoken, "trees.conllu")[0]] == ["de"]
    found, told = read("# lang = krl\n" + GOOD + "# lang = what?\n" + GOOD)
    assert [one.language for one in found] == ["krl", "en"], "a language that the table does not know is one of its own"
    spoken = read("# lang = deu_Latn\n" + GOOD + "# lang = zh-Hant\n" + GOOD)[0]
    assert [one.language for one in spoken] == ["de", "zh-Hant"]
    assert not len(read("# lang = what?\n" + GOOD, language="fi")[1]), "what is not asked for is not told"
    assert len(told) == 1
    assert "'what?' is not a language code" in str(next(iter(told)))
    with pytest.raises(InputError, match="no usable tree"):
        read("no tree\n")


def test_the_best_tree_is_that_of_brute_force():
    rng = np.random.default_rng(0)
    searched = 0
    for size, tries in ((1, 3), (2, 20), (3, 40), (4, 60), (5, 40)):
        every = [np.array(one) for one in product(range(size + 1), repeat=size) if one.count(0) == 1 and is_tree(one)]
        for _ in range(tries):
            scores = rng.normal(size=(size, size + 1)) * rng.choice([0.1, 1, 30])
            scores[:, 0] += rng.choice([-3, 0, 3])  # also where the root draws all words, or none
            found = best_tree(scores)
            assert (found == 0).sum() == 1
            assert is_tree(found.tolist())
            sums = [scores[np.arange(size), one].sum() for one in every]
            assert scores[np.arange(size), found].sum() == pytest.approx(max(sums), abs=1e-9)
            masked = np.where(np.eye(size, size + 1, 1, dtype=bool), -np.inf, scores)
            searched += list(found) != list(masked.argmax(axis=1))
    assert searched > 50


def test_long_and_flat_scores_give_a_tree():
    rng = np.random.default_rng(1)
    for scores in (rng.normal(size=(60, 61)), np.zeros((12, 13))):
        found = best_tree(scores).tolist()
        assert found.count(0) == 1
        assert is_tree(found)


def test_it_is_the_tree_that_networkx_finds():
    networkx = pytest.importorskip("networkx")
    rng = np.random.default_rng(2)
    for _ in range(5):
        scores = rng.normal(size=(20, 21)) + np.where(rng.random((20, 21)) < 0.1, 3, 0)
        graph = networkx.DiGraph()
        graph.add_weighted_edges_from(
            (head, word + 1, scores[word, head] - 1000 * (head == 0))
            for word in range(20) for head in range(21) if head != word + 1
        )  # fmt: skip
        wanted = {below: above for above, below in networkx.maximum_spanning_arborescence(graph).edges}
        assert best_tree(scores).tolist() == [wanted[word] for word in range(1, 21)]


def by_hand(network, items):
    """The loss with loops and numpy, from the states and the weights."""
    batch = network.encode(items)
    states = network.view(batch).first.detach().numpy().astype(np.float64)
    own = {name: one.detach().numpy().astype(np.float64) for name, one in network.head.module.state_dict().items()}

    def mlp(name, vector):
        raised = own[f"{name}.0.weight"] @ vector + own[f"{name}.0.bias"]
        return np.where(raised > 0, raised, 0.1 * raised)

    arcs, relations = [], []
    for row, item in enumerate(items):
        one = batch.first[row]
        vectors = {0: own["root"]} | {
            int(word) + 1: states[row, column] for word, column in zip(one.word, one.column, strict=True)
        }
        for word, (head, name) in enumerate(zip(item.label.heads, item.label.relations, strict=True), start=1):
            if word not in vectors or head not in vectors:
                continue
            dependent = np.append(mlp("arc_word", vectors[word]), 1)
            scores = {n: dependent @ own["arcs"] @ mlp("arc_head", vectors[n]) for n in vectors if n != word}
            arcs.append(np.log(sum(np.exp(list(scores.values())))) - scores[head])
            if name in network.head.labels:
                one_side = np.append(mlp("relation_word", vectors[word]), 1)
                other = np.append(mlp("relation_head", vectors[head]), 1)
                said = np.array([one_side @ matrix @ other for matrix in own["relations"]])
                relations.append(np.log(np.exp(said).sum()) - said[network.head.labels.index(name)])
    return np.mean(arcs) + np.mean(relations), len(arcs), len(relations)


def test_the_loss_is_that_of_heads_and_of_relations(tiny):
    network = train(tiny, task="parsing", data=trees(), max_steps=2, head_lr=0.05)
    network.trains(False)
    items = list(trees().items[:4])
    strange = items[1].label
    items[1] = Item("x", items[1].sentence, Tree(strange.heads, ("never:seen", *strange.relations[1:])))
    wanted, arcs, relations = by_hand(network, items)
    assert arcs == relations + 1
    assert float(network.loss(network.encode(items)).detach()) == pytest.approx(wanted, abs=1e-4)


def test_words_that_were_cut_off_are_no_part_of_the_loss_and_errors(tiny):
    network = train(tiny, task="parsing", data=trees(), max_steps=2, max_tokens=8)
    network.trains(False)
    items = trees().items[2:6]
    wanted, arcs, _ = by_hand(network, items)
    assert 0 < arcs < sum(len(one.sentence.words) for one in items)
    assert float(network.loss(network.encode(items)).detach()) == pytest.approx(wanted, abs=1e-4)
    (said,) = network.predict(items[:1])
    assert (said.heads[-1], said.relations[-1]) == (0, "")
    assert said.relations[0]
    count, _, both = LAS.stats(items[:1], [said])[0]
    assert count == 8
    assert both < 8


def test_it_learns_its_training_data(tiny):
    settings = {"max_steps": 50, "epochs": 1000, "batch": 8, "lr": 5e-3, "head_lr": 1e-2, "head_dropout": 0.0}
    network, items = train(tiny, task="parsing", data=trees(), dropout=False, **settings), trees().items
    said = network.predict(items)
    assert all(one.heads.count(0) == 1 and is_tree(one.heads) for one in said)
    assert LAS.score(LAS.stats(items, said)) >= 90
    untrained = train(tiny, task="parsing", data=trees(), max_steps=1, lr=1e-9, head_lr=1e-9).predict(items)
    assert LAS.score(LAS.stats(items, untrained)) < 60
    alone = [network.predict([item])[0] for item in items]
    assert alone == said  # padding changes nothing
    roots = [name for one in said for head, name in zip(one.heads, one.relations, strict=True) if head == 0]
    assert set(roots) == {"root"}


def test_what_gets_a_gradient(tiny):
    for mode in ("all", "probe"):
        network = train(tiny, task="parsing", data=trees(), max_steps=1, mode=mode)
        for one in network.parameters.values():
            one.grad = None
        network.loss(network.encode(trees().items[:4])).backward()
        heads = {name: one for name, one in network.parameters.items() if name.startswith("head.")}
        assert {"head.root", "head.arcs", "head.relations"} <= heads.keys()
        assert all(one.grad is not None and bool(one.grad.abs().sum() > 0) for one in heads.values())
        body = [one for name, one in network.trainee.network.named_parameters() if one.grad is not None]
        assert bool(body) == (mode == "all")


def test_the_same_seed_gives_the_same_weights(tiny):
    one, again, other = (weights(train(tiny, task="parsing", data=trees(), seed=seed)) for seed in (3, 3, 4))
    assert all(np.array_equal(one[name], again[name]) and np.isfinite(one[name]).all() for name in one)
    assert any(not np.array_equal(one[name], other[name]) for name in one)


def test_attachment_scores():
    sentence = Sentence.from_words(("a", "b", "c", "d"), "en")
    gold = Item("1", sentence, Tree((2, 0, 2, 3), ("nsubj:pass", "root", "obl", "punct")))
    said = Tree((2, 0, 4, 3), ("nsubj", "root", "obl", "det"))
    stats = LAS.stats([gold, gold], [said, Tree((0, 0, 0, 0), ("", "", "", ""))])
    np.testing.assert_array_equal(stats, [[4, 3, 2], [4, 0, 0]])
    assert LAS.score(stats) == 25
    assert LAS.parts[0][0] == "uas"
    assert LAS.parts[0][1](stats, np.array([[1, 1], [2, 0]])).tolist() == [37.5, 75]


def test_a_single_relation_is_refused(tiny):
    with pytest.raises(InputError, match="at least two"):
        train(tiny, task="parsing", data=trees().take([7]))


def test_the_treebank_is_read_whole(shared_data):
    problems = Problems()
    task = find("tasks", "parsing")
    sizes = {}
    for part in ("train", "dev", "test"):
        (found,) = read_labelled(f"set:ud_ewt:en:{part}", task, data_dir=shared_data, problems=problems)
        sizes[part] = (found.language, len(found), sum(len(one.label.heads) for one in found.items))
    assert sizes == {"train": ("en", 5228, 82937), "dev": ("en", 2001, 25147), "test": ("en", 2077, 25094)}
    assert not len(problems)
