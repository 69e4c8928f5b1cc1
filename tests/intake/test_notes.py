"""Notes of readers reach whoever gathers them."""

from mtlbio.intake.notes import Note, notice, noticing


def test_notes_reach_every_gatherer_once_and_nobody_else():
    notice("before.csv", "lost")
    with noticing() as outer:
        notice("a.csv", "columns are separated\nby ';'")
        with noticing() as inner:
            notice("b.csv", "3 empty rows dropped", doubt=True)
            notice("b.csv", "3 empty rows dropped", doubt=True)
        notice("a.csv", "columns are separated by ';'")
    assert inner == [Note("b.csv", "3 empty rows dropped", True)]
    assert list(map(str, outer)) == ["a.csv: columns are separated by ';'", "b.csv: 3 empty rows dropped"]
