import pytest

from analysis.errors import InputError
from analysis.text.pharaoh import Links, format_links, parse_links

pytestmark = pytest.mark.fast


def test_sure_and_possible_round_trip():
    links = parse_links("0-0 1p2  2-1")
    assert (links.sure, links.possible) == ({(0, 0), (2, 1)}, {(0, 0), (1, 2), (2, 1)})
    assert format_links(links) == "0-0 1p2 2-1"
    assert parse_links("1-1 2p3 3-2", one_based=True) == links
    assert parse_links("") == Links()


@pytest.mark.parametrize("line", ["1", "a-b", "1--2", "-1-2", "1-2-3", "1 - 2", "1_2", f"{'9' * 5000}-1", "0-0 ?"])
def test_what_is_no_link_is_refused(line):
    with pytest.raises(InputError, match="not a link"):
        parse_links(line)


def test_a_zero_in_a_one_based_file_is_refused():
    with pytest.raises(InputError, match="--one-based"):
        parse_links("0-1", one_based=True)


def test_one_to_one_counts_possible_links_too():
    assert parse_links("0-0 1-1 1p2 3-3").one_to_one() == {(0, 0), (3, 3)}
