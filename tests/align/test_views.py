"""Known maps are found again, whatever is wrong among the pairs; boxes and points go along, the horizon is told."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from sibu.align import fit_affine, fit_homography, map_boxes, map_points, ransac
from sibu.core.errors import DataError

TILTED = np.array([[0.9, -0.2, 40.0], [0.15, 1.1, -12.0], [2e-4, -1e-4, 1.0]])
FLAT = np.array([[0.9, -0.2, 40.0], [0.15, 1.1, -12.0], [0.0, 0.0, 1.0]])


def pairs(matrix, count=80, wrong=0.0, noise=0.0, seed=0):
    draw = np.random.default_rng(seed)
    first = draw.uniform(0, (640, 480), (count, 2))
    second = map_points(first, matrix) + draw.normal(0, noise, (count, 2)) if noise else map_points(first, matrix)
    off = np.arange(count) < round(wrong * count)
    second[off] = draw.uniform(0, (640, 480), (int(off.sum()), 2))
    return first, second, off


def apart(found, true, size=(640, 480)):
    places = np.stack(np.meshgrid(np.linspace(0, size[0], 5), np.linspace(0, size[1], 5)), axis=-1).reshape(-1, 2)
    return np.linalg.norm(map_points(places, found) - map_points(places, true), axis=1).max()


def test_exact_pairs_give_the_map_itself():
    first, second, _ = pairs(TILTED, 10)
    assert fit_homography(first, second) == pytest.approx(TILTED, abs=1e-8)
    assert fit_homography(first[:4], second[:4]) == pytest.approx(TILTED, abs=1e-6)
    first, second, _ = pairs(FLAT, 10)
    assert fit_affine(first, second) == pytest.approx(FLAT, abs=1e-9)
    assert fit_affine(first[:3], second[:3]) == pytest.approx(FLAT, abs=1e-9)


def test_least_squares_equals_scipy_on_the_distance_in_the_second_view():
    first, second, _ = pairs(TILTED, 40, noise=2.0)

    def away(numbers):
        return (map_points(first, np.append(numbers, 1.0).reshape(3, 3)) - second).ravel()

    scale = np.array([1, 1, 100, 1, 1, 100, 1e-3, 1e-3])
    known = least_squares(away, TILTED.ravel()[:8], x_scale=scale, xtol=1e-15, ftol=1e-15, gtol=1e-15)
    own = fit_homography(first, second)
    assert (away(own.ravel()[:8]) ** 2).sum() == pytest.approx(2 * known.cost, rel=1e-9)
    assert apart(own, np.append(known.x, 1.0).reshape(3, 3)) < 1e-3


def test_the_affine_map_is_that_of_least_squares():
    first, second, _ = pairs(FLAT, 40, noise=2.0)
    whole = np.concatenate([first, np.ones((40, 1))], axis=1)
    assert fit_affine(first, second)[:2] == pytest.approx(np.linalg.lstsq(whole, second, rcond=None)[0].T)


def test_units_do_not_matter():
    first, second, _ = pairs(TILTED, 30, noise=1.0)
    own = fit_homography(first, second)
    far = np.array([[1e-3, 0, 7.0], [0, 1e-3, -90.0], [0, 0, 1]])
    moved = fit_homography(map_points(first, far), map_points(second, far))
    assert apart(np.linalg.inv(far) @ moved @ far, own) < 1e-4


def test_a_map_whose_horizon_crosses_between_the_corner_and_the_points():
    # depth is negative at (0, 0): with 1 as its last number the map would see all points from behind
    true = np.array([[1.0, 0.1, 5.0], [0.0, 1.0, 3.0], [0.01, 0.0, -1.0]])
    first = np.random.default_rng(0).uniform((300, 0), (640, 480), (20, 2))
    found = fit_homography(first, map_points(first, true))
    assert map_points(first, found) == pytest.approx(map_points(first, true), abs=1e-6)
    assert np.isnan(map_points([[0.0, 0.0]], found)).all()


@pytest.mark.parametrize("wrong", [0.0, 0.2, 0.4, 0.6])
@pytest.mark.parametrize("model", ["affine", "homography"])
def test_wrong_pairs_are_found_out(model, wrong):
    true = TILTED if model == "homography" else FLAT
    for seed in range(5):
        first, second, off = pairs(true, wrong=wrong, noise=0.75, seed=seed)
        fit = ransac(first, second, model, threshold=3.0, seed=seed)
        agree = np.linalg.norm(second - map_points(first, true), axis=1) < 3
        assert (fit.inliers == agree).mean() > 0.96
        assert (fit.inliers & off & ~agree).sum() <= 1
        assert apart(fit.matrix, true) < 4
        error = np.linalg.norm(map_points(first, fit.matrix) - second, axis=1)
        assert (fit.inliers == (error <= 3)).all()
        assert fit.share == fit.inliers.mean()
        assert fit.residual == pytest.approx(np.sqrt((error[fit.inliers] ** 2).mean()))


def test_more_wrong_pairs_take_more_rounds_and_the_seed_decides():
    few, many = (ransac(*pairs(TILTED, wrong=wrong, noise=0.5)[:2], seed=4) for wrong in (0.1, 0.6))
    assert few.rounds < many.rounds < 10_000
    again = ransac(*pairs(TILTED, wrong=0.6, noise=0.5)[:2], seed=4)
    assert (again.matrix == many.matrix).all()
    assert (again.inliers == many.inliers).all()
    assert again.rounds == many.rounds


def test_a_mirrored_view():
    true = np.diag([-1.0, 1.0, 1.0]) @ TILTED
    first, second, _ = pairs(true, wrong=0.3)
    second[:24] = np.random.default_rng(1).uniform((-640, 0), (0, 480), (24, 2))
    assert apart(ransac(first, second).matrix, true) < 1e-4


def test_points_mostly_on_a_line_do_not_mislead():
    first, second, _ = pairs(TILTED, 40)
    first[:30] = np.stack([np.linspace(0, 600, 30), np.full(30, 100.0)], axis=1)
    second = map_points(first, TILTED)
    fit = ransac(first, second, threshold=1.0)
    assert apart(fit.matrix, TILTED) < 1e-3
    assert fit.share == 1


def test_nothing_that_agrees_has_a_low_share():
    draw = np.random.default_rng(0)
    fit = ransac(draw.uniform(0, 500, (100, 2)), draw.uniform(0, 500, (100, 2)), most_rounds=400)
    assert fit.share < 0.15
    assert fit.rounds == 400


LINE = np.stack([np.arange(9.0), 2 * np.arange(9.0)], axis=1)
SQUARE = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit_affine(LINE, pairs(FLAT, 9)[0]), "All points of the first view lie on one line"),
        (lambda: ransac(pairs(FLAT, 9)[0], LINE), "All points of the second view lie on one line"),
        (lambda: fit_homography(SQUARE[:3], SQUARE[:3]), "needs at least 4 pairs of points, given 3"),
        (lambda: fit_affine(SQUARE, SQUARE[:3]), r"pair by pair, given \(4, 2\) and \(3, 2\)"),
        (lambda: fit_affine(SQUARE, np.where(SQUARE > 0, np.nan, 0)), "A point is not finite"),
        (lambda: fit_homography([[0, 0], [1, 1], [2, 2], [0, 1]], SQUARE), "No homography takes"),
        (lambda: ransac([[0, 0], [1, 1], [2, 2], [0, 1]], SQUARE, most_rounds=64), "None of 64 samples of 4 pairs"),
        (lambda: ransac(SQUARE, SQUARE, "similarity"), "'affine' or 'homography'.*given 'similarity'"),
        (lambda: ransac(SQUARE, SQUARE, threshold=0), "given 'homography', 0, 10000, 0.999"),
    ],
)
def test_what_cannot_be_fitted(call, message):
    with pytest.raises(DataError, match=message):
        call()


def test_boxes_by_a_map_that_keeps_them_upright_come_back():
    boxes = np.array([[10.0, 20, 110, 70], [0, 0, 5, 5], [3, 3, 3, 9]])
    matrix = np.array([[2.0, 0, -7], [0, 0.5, 30], [0, 0, 1]])
    there = map_boxes(boxes, matrix)
    assert there.boxes[0].tolist() == [13, 40, 213, 65]
    assert map_boxes(there.boxes, np.linalg.inv(matrix)).boxes == pytest.approx(boxes)
    assert not there.behind.any()
    assert not there.outside.any()


def test_a_turned_box_is_enclosed():
    turned = np.array([[0.0, -1, 100], [1, 0, 0], [0, 0, 1]])
    assert map_boxes([[10, 20, 50, 40]], turned).boxes[0] == pytest.approx([60, 10, 80, 50])
    inside = np.random.default_rng(0).uniform((10, 20), (50, 40), (200, 2))
    left, upper, right, lower = map_boxes([[10, 20, 50, 40]], TILTED).boxes[0]
    x, y = map_points(inside, TILTED).T
    assert left <= x.min() and x.max() <= right and upper <= y.min() and y.max() <= lower


def test_boxes_are_cut_to_the_frame_and_those_outside_are_told():
    found = map_boxes([[-20, 10, 30, 40], [700, 10, 800, 40], [10, 470, 20, 490]], np.eye(3), frame=(640, 480))
    assert found.boxes.tolist() == [[0, 10, 30, 40], [640, 10, 640, 40], [10, 470, 20, 480]]
    assert found.outside.tolist() == [False, True, False]


def test_boxes_behind_the_horizon_are_told():
    matrix = np.array([[1.0, 0, 0], [0, 1, 0], [-0.01, 0, 1]])  # the horizon is at x = 100
    found = map_boxes([[10, 10, 20, 20], [90, 10, 110, 20], [150, 10, 160, 20]], matrix, frame=(640, 480))
    assert found.behind.tolist() == [False, True, True]
    assert np.isnan(found.boxes[1:]).all()
    assert np.isfinite(found.boxes[0]).all()


def test_boxes_that_are_none():
    assert map_boxes([], np.eye(3)).boxes.shape == (0, 4)
    with pytest.raises(DataError, match=r"Box 1 is \[5.0, 0.0, 4.0, 1.0\]"):
        map_boxes([[0, 0, 1, 1], [5, 0, 4, 1]], np.eye(3))
    with pytest.raises(DataError, match=r"shape \(N, 4\), given \(1, 3\)"):
        map_boxes([[0, 0, 1]], np.eye(3))
