"""Seconds per 1,000 pairs, with a clock that the test winds."""

import numpy as np
import pytest

from analysis.links import timing
from analysis.links.decoder import Decoder
from analysis.registry import find

pytestmark = pytest.mark.fast
MATRICES = [np.eye(3), np.eye(4), np.eye(2)]


class Clock:
    """A clock that moves only while something is decoded."""

    def __init__(self, step):
        self.now, self.step, self.decoded = 0.0, step, 0

    def choose(self, similarity, settings):
        self.now += self.step
        self.decoded += 1
        return similarity > 0.5


@pytest.fixture
def clock(monkeypatch):
    made = Clock(0.25)
    monkeypatch.setattr(timing, "perf_counter", lambda: made.now)
    return made


def decoder(clock):
    return Decoder("slow", "Slow", "Takes its time.", "", clock.choose)


def test_decoding_is_timed_without_the_first_call(clock):
    links, seconds = timing.decode_timed(decoder(clock), MATRICES)
    assert seconds == pytest.approx(250)
    assert clock.decoded == 4
    assert [len(one) for one in links] == [3, 4, 2]


def test_measuring_stops_when_its_time_is_up(clock):
    assert timing.seconds_per_thousand(decoder(clock), MATRICES, budget=1.0) == pytest.approx(250)
    assert clock.decoded == 1 + 4
    clock.decoded = 0
    assert timing.seconds_per_thousand(decoder(clock), MATRICES, budget=0.0) == pytest.approx(250)
    assert clock.decoded == 1 + 1


def test_nothing_to_decode_has_no_time(clock):
    assert timing.seconds_per_thousand(decoder(clock), []) is None
    assert timing.decode_timed(decoder(clock), []) == ([], None)


def test_the_links_are_those_of_the_decoder_and_its_settings():
    entmax = find("decoders", "entmax")
    options = entmax.settings(temperature=1)
    matrices = [np.random.default_rng(0).uniform(-1, 1, (4, 5))]
    links, seconds = timing.decode_timed(entmax, matrices, options)
    assert links == [entmax.decode(matrices[0], options)]
    assert seconds > 0
