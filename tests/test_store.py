"""The vector cache: the oldest entries go first, and several processes may tidy up at once."""

import os

import numpy as np
import pytest

from analysis import store

pytestmark = pytest.mark.fast


def keys(count):
    """Keys of entries that were last used one after the other."""
    made = [{"kind": "test", "number": number} for number in range(count)]
    for age, key in enumerate(made):
        store.put(key, {"values": np.arange(1000)})
        os.utime(store._entry(key), (1000 + age, 1000 + age))
    return made


def test_what_was_unused_longest_goes_first(cache, monkeypatch):
    made = keys(4)
    monkeypatch.setattr(store, "LIMIT_BYTES", 3 * store.folder_bytes(store._entry(made[0])) + 50)
    store.put({"kind": "test", "number": 4}, {"values": np.arange(1000)})
    assert [store.has(key) for key in made] == [False, False, True, True]


@pytest.mark.parametrize("gone_at", ["stat", "size"])
def test_an_entry_that_another_process_deletes_meanwhile_is_no_error(cache, monkeypatch, gone_at):
    made = keys(3)
    real = store.folder_bytes

    def deleting(path):
        lost = store._entry(made[1])
        if lost.exists():
            store.shutil.rmtree(lost)
        if gone_at == "size" and path == lost:
            raise FileNotFoundError(path)
        return real(path)

    monkeypatch.setattr(store, "folder_bytes", deleting)
    store.put({"kind": "test", "number": 3}, {"values": np.arange(1000)})
    assert [store.has(key) for key in made] == [True, False, True]
