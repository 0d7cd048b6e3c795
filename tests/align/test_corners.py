"""Landmarks of drawn pictures: where corners are, that they are found again, and what is refused."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, maximum_filter

from sibu.align import laid, landmarks, map_points, matched, registered
from sibu.align.corners import _blurred, _highest
from sibu.core.errors import DataError


def drawn(seed=0, size=(160, 200)):
    """Many grey blocks over each other."""
    draw = np.random.default_rng(seed)
    made = np.full(size, 128.0)
    for _ in range(60):
        top, left = draw.integers(0, size[0] - 10), draw.integers(0, size[1] - 10)
        made[top : top + draw.integers(6, 40), left : left + draw.integers(6, 40)] = draw.uniform(0, 255)
    return made


def turned(degrees, scale=1.0, middle=(100.0, 80.0)):
    angle = np.deg2rad(degrees)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.vstack([np.hstack([linear, (middle - linear @ middle)[:, None]]), [0, 0, 1]])


def test_smoothing_and_the_highest_equal_scipys():
    values = np.random.default_rng(0).normal(size=(30, 41))
    assert _blurred(values, 1.5) == pytest.approx(gaussian_filter(values, 1.5, mode="nearest", radius=4))
    assert (_highest(values, 3) == maximum_filter(values, 7, mode="nearest")).all()


def test_the_corners_of_a_square_are_its_landmarks():
    picture = np.zeros((60, 80))
    picture[20:40, 30:50] = 1.0
    found = landmarks(picture)
    assert len(found.points) == 4
    corners = np.array([[30, 20], [30, 40], [50, 20], [50, 40]])
    for corner in corners:
        assert np.linalg.norm(found.points - corner, axis=1).min() < 2.5
    assert np.linalg.norm(found.patches, axis=1) == pytest.approx(1)


def test_a_shifted_picture_in_another_light_is_matched():
    whole = drawn()
    first, second = whole[:140, :180], 0.5 * whole[20:, 20:] + 30
    pairs = matched(first, second)
    away = np.linalg.norm(pairs.points_a - pairs.points_b - 20, axis=1)
    assert len(away) > 20
    assert np.median(away) < 0.01
    assert (away < 1).mean() > 0.9
    assert (pairs.likeness <= 1).all() and (pairs.likeness >= 0.8).all()


def test_channels_do_not_matter():
    grey = drawn()
    one, three = landmarks(grey), landmarks(np.repeat(grey[..., None], 3, axis=2))
    four = landmarks(np.concatenate([np.repeat(grey[..., None], 3, axis=2), np.zeros((*grey.shape, 1))], axis=2))
    in_order = [sorted(each.points.round(6).tolist()) for each in (one, three, four)]  # equal ones may change places
    assert in_order[0] == in_order[1] == in_order[2]


def test_colours_of_one_grey_are_told_apart_and_grey_is_matched_with_colours():
    picture = np.zeros((60, 80, 3))
    picture[..., 0] = 100.0
    picture[20:40, 30:50] = [0.0, 100 * 0.299 / 0.587, 0.0]  # as light as what is around it
    assert len(landmarks(picture).points) == 4
    assert len(landmarks((picture @ [0.299, 0.587, 0.114]).round(6)).points) == 0
    colours = np.stack([drawn(1), drawn(2), drawn(3)], axis=2)
    pairs = matched(colours, colours @ [0.299, 0.587, 0.114])
    assert len(pairs.points_a) > 20
    assert pairs.points_a == pytest.approx(pairs.points_b)


def test_the_strongest_are_kept():
    picture = drawn()
    every, few = landmarks(picture), landmarks(picture, most=10)
    assert (few.points == every.points[:10]).all()
    assert (np.diff(every.strength) <= 0).all()


def test_a_picture_laid_by_a_map_shows_what_was_there():
    picture = gaussian_filter(drawn(), 3)
    matrix = turned(7, 1.1)
    made = laid(picture, matrix, (200, 160))
    x, y = map_points([[100.5, 80.5]], matrix)[0] - 0.5
    assert made[80, 100] == pytest.approx(picture[round(y), round(x)], abs=6)
    assert laid(picture, np.eye(3), (200, 160)) == pytest.approx(picture, abs=0.2)
    shifted = laid(picture, np.array([[1, 0, 5], [0, 1, 3], [0, 0, 1.0]]), (190, 150))
    assert shifted == pytest.approx(picture[3:153, 5:195], abs=1e-9)


@pytest.mark.parametrize(("degrees", "scale"), [(4, 1.0), (10, 1.1), (-35, 0.9)])
def test_a_turned_picture_is_registered(degrees, scale):
    picture, matrix = gaussian_filter(drawn(3), 0.7), turned(degrees, scale)
    # the second view shows at `matrix p` what the first shows at p
    second = laid(picture, np.linalg.inv(matrix), (200, 160)) + np.random.default_rng(0).normal(0, 3, (160, 200))
    fit = registered(picture, second, seed=1)
    inner = np.stack(np.meshgrid(np.linspace(60, 140, 5), np.linspace(50, 110, 5)), axis=-1).reshape(-1, 2)
    assert np.linalg.norm(map_points(inner, fit.matrix) - map_points(inner, matrix), axis=1).max() < 1
    assert fit.share > 0.4


def test_the_seed_decides():
    first, second = drawn()[:140], drawn()[20:]
    one, two = (registered(first, second, seed=3) for _ in range(2))
    assert (one.matrix == two.matrix).all()


def test_pictures_that_have_nothing_in_common():
    flat = np.full((40, 40), 7.0)
    assert len(landmarks(flat).points) == 0
    assert len(matched(flat, drawn()).points_a) == 0
    with pytest.raises(DataError, match="cannot be registered: 0 of 0 landmarks"):
        registered(flat, drawn())
    with pytest.raises(DataError, match=r"landmarks of the first.*map \(homography\) asks for 12.*simpler map"):
        registered(drawn(0), drawn(50))


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((40, 40, 5)), r"1 to 4 channels, given \(40, 40, 5\)"),
        (np.zeros((40, 9)), r"16 pixels a side or more, given \(40, 9\)"),
        (np.full((40, 40), np.nan), "not finite"),
    ],
)
def test_what_is_no_picture(picture, message):
    with pytest.raises(DataError, match=message):
        landmarks(picture)
