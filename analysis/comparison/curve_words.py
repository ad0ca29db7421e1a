"""What the curves of two encoders say, in one line for a title."""

from analysis.comparison.curves import Curve, paired, pulls_apart
from analysis.scoring.measure import Measure, Need

LOW = 10  # percent below which no title says that languages are kept together


def tell_curves(a: Curve, b: Curve) -> str:
    """The finding of two curves of one measure and language pair in one line, for a title.

    "Pulls apart" is said only of translations, and only where the paired bootstrap of the best layer against the last
    excludes chance, corrected for the best being picked among all layers (Bonferroni); a difference of B from A only
    where the interval of theirs excludes zero. Of a measure without a direction only the values are told.

    Args:
        a: the curve of A.
        b: the curve of B; A's again where there is no other.
    """
    pair = a.about
    if not a.scored or not b.scored:
        return f"{a.variant.title}: no score for {pair}"
    if not tells_apart(a.variant.measure):
        return _tell_values(a, b)
    if a.results[-1].low is None or b.results[-1].low is None:
        ends = f"{a.encoder} {_value(a, -1)}, {b.encoder} {_value(b, -1)}"
        return f"{a.variant.title} of {pair}: too few sentence pairs to tell anything ({ends} at the last layer)"
    if _same(a, b):
        return _tell_one(a, pair)
    told_a, told_b = _tell_one(a, pair), _tell_one(b, "it")
    if " keeps " in told_a:
        told_b = told_b.replace(" keeps it together to the last layer", " does so too")
    return f"{told_a}; {told_b}{_tell_gain(a, b)}"


def tells_apart(measure: Measure) -> bool:
    """Whether a fall of this measure over the layers means that translations are pulled apart."""
    return measure.needs in (Need.PAIRS, Need.LINKS) and measure.higher_is_better is not None


def _tell_values(a: Curve, b: Curve) -> str:
    """The values at the last layer, for measures that do not say how close translations are."""
    ends = [f"{curve.encoder} {_value(curve, -1)}" for curve in ([a] if _same(a, b) else [a, b])]
    gain = "" if _same(a, b) else _tell_gain(a, b).removesuffix(" at the last layer")
    return f"{a.variant.title} of {a.about} at the last layer: {', '.join(ends)}{gain}"


def _same(a: Curve, b: Curve) -> bool:
    """Whether both are one curve."""
    return a is b or (a.encoder, a.results) == (b.encoder, b.results)


def _tell_one(curve: Curve, pair: str) -> str:
    """What one curve does from its best layer to its last."""
    best, last = curve.best or 0, len(curve.layers) - 1
    top, end = _value(curve, best), _value(curve, last)
    if curve.variant.measure.higher_is_better and curve.results[best].unit == "percent" and _score(curve, best) < LOW:
        return f"{curve.encoder} lines {pair} up at no layer (at best {top})"
    if not pulls_apart(curve):
        return f"{curve.encoder} keeps {pair} together to the last layer ({end})"
    return f"{curve.encoder} pulls {pair} apart after layer {curve.layers[best]} ({top}, at the last layer {end})"


def _tell_gain(a: Curve, b: Curve) -> str:
    """B's change against A at the last layer where it is beyond chance, else that it is not."""
    one, two = a.results[-1], b.results[-1]
    change = paired(one, two)
    if change is None:
        return ""
    if not change.significant:
        return ", no clear difference at the last layer"
    return f", {_signed(change.difference, one.unit)} at the last layer"


def _score(curve: Curve, at: int) -> float:
    """A score, 0 where there is none."""
    return curve.results[at].score or 0.0


def _value(curve: Curve, at: int) -> str:
    """A score as it is read in a title."""
    score = curve.results[at].score
    if score is None:
        return "no score"
    return f"{score:.0f} %" if curve.results[at].unit == "percent" else f"{score:.2f}"


def _signed(difference: float, unit: str) -> str:
    """A change with its sign and unit."""
    return f"{difference:+.0f} points" if unit == "percent" else f"{difference:+.2f}"
