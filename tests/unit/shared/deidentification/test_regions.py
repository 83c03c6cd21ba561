"""Rectangles of an image."""

from hypothesis import given, strategies as st

from orthanc_share.deidentification.regions import Region, outside

ROWS, COLUMNS = 9, 12

regions = st.builds(
    Region,
    st.integers(-5, 15),
    st.integers(-5, 15),
    st.integers(0, 15),
    st.integers(0, 15),
)


@given(regions)
def test_a_clipped_region_covers_what_it_covered_inside_the_image(one: Region) -> None:
    clipped = one.clipped(ROWS, COLUMNS)
    assert min(clipped.width, clipped.height) >= 0
    for y in range(-6, 32):
        for x in range(-6, 32):
            inside = 0 <= x < COLUMNS and 0 <= y < ROWS
            assert clipped.covers(x, y) == (one.covers(x, y) and inside)


@given(st.lists(regions, max_size=4))
def test_what_is_outside_is_exactly_what_no_region_covers(kept: list[Region]) -> None:
    blank = outside(kept, ROWS, COLUMNS)
    for y in range(ROWS):
        for x in range(COLUMNS):
            covered = sum(one.covers(x, y) for one in blank)
            assert covered == (not any(one.covers(x, y) for one in kept))


def test_without_regions_everything_is_outside() -> None:
    assert outside([], ROWS, COLUMNS) == (Region(0, 0, COLUMNS, ROWS),)


def test_a_region_of_the_whole_image_leaves_nothing_outside() -> None:
    assert outside([Region(-1, -1, COLUMNS + 9, ROWS + 9)], ROWS, COLUMNS) == ()
