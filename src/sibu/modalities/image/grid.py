"""The grids of the small residual network: from a picture's sides down to a few cells."""

LARGEST = 32
"""Sides of the first grid on which there are blocks, at most."""


def grid_strides(size: tuple[int, int]) -> list[tuple[int, int]]:
    """The strides that bring a picture to a grid of 4 to 7 cells a side."""
    halvings = [max((side // 4).bit_length() - 1, 0) for side in size]
    return [(1 + (step < halvings[0]), 1 + (step < halvings[1])) for step in range(max(halvings))]


def first_strides(size: tuple[int, int]) -> int:
    """How many of them come before the first block: until the grid is small enough, and one where there are two."""
    strides, count = grid_strides(size), 0
    height, width = size
    while count < len(strides) and (max(height, width) > LARGEST or (count == 0 and len(strides) > 1)):
        height, width = -(-height // strides[count][0]), -(-width // strides[count][1])
        count += 1
    return count


def grid_of(size: tuple[int, int]) -> tuple[int, int]:
    """Sides of the last grid."""
    height, width = size
    for vertical, horizontal in grid_strides(size):
        height, width = -(-height // vertical), -(-width // horizontal)
    return height, width
