"""The frame-level protocol on cases worked out by hand."""

import numpy as np
import pytest

from legofuse.inspection import frame_auc, frame_labels, frame_scores


def test_a_case_by_hand():
    # video of 8 frames: units overlap on frame 2, frame 6 and 7 are covered by none
    scores = frame_scores([0.3, 0.7, 0.1], [[0, 3], [2, 4], [4, 6]], 8)
    np.testing.assert_array_equal(scores, [0.3, 0.3, 0.7, 0.7, 0.1, 0.1, 0.1, 0.1])
    labels = frame_labels([[2, 5], [-1, -1]], 8)
    np.testing.assert_array_equal(labels, [0, 0, 1, 1, 1, 0, 0, 0])
    # a second, normal video; positives .7 .7 .1 against negatives .3 .3 .1 .1 .1 and .1 .2:
    # .7 wins 7 of 7 twice, .1 ties with 4 and loses to 3, so (7 + 7 + 2) / 21
    other = frame_scores([0.1, 0.2], [[0, 1], [1, 2]], 2)
    assert frame_auc([labels, np.zeros(2)], [scores, other]) == pytest.approx(16 / 21)


def test_seconds_are_frames_by_fps():
    seconds = frame_scores([1.0, 0.0], [[0.0, 0.5], [0.5, 1.5]], 6, fps=4)
    np.testing.assert_array_equal(seconds, frame_scores([1.0, 0.0], [[0, 2], [2, 6]], 6))


def test_a_span_covers_at_least_one_frame_and_stays_in_the_video():
    np.testing.assert_array_equal(frame_scores([1.0, 0.0], [[2, 2], [0, 9]], 4), [0, 0, 1, 0])
    np.testing.assert_array_equal(frame_scores([1.0, 0.0], [[9, 12], [-3, 2]], 4), [0, 0, 0, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: frame_scores([], np.empty((0, 2)), 3), "at least one unit"),
        (lambda: frame_scores([1.0], [[0, 1], [1, 2]], 3), "a start and an end"),
        (lambda: frame_scores([1.0], [[0, 1]], 0), "n_frames"),
        (lambda: frame_scores([1.0, 2.0], [[0, 1], [2, 1]], 3), "unit 1 ends before"),
        (lambda: frame_scores([np.nan, 1.0], [[0, 1], [1, 2]], 3), "finite"),
        (lambda: frame_scores([1.0], [[0, np.inf]], 3), "finite"),
        (lambda: frame_scores([1.0], [[0, 1]], 3, fps=0), "fps must be a number above 0; got 0"),
        (lambda: frame_scores([1.0], [[0, 1]], 3, fps=-25), "fps must be a number above 0"),
        (lambda: frame_auc([[0, 1]], [[0.5]]), "same videos"),
        (lambda: frame_auc([[0, 0]], [[0.5, 0.1]]), "needs both"),
        (lambda: frame_auc([], []), "labels and scores are empty: give at least one video"),
        (lambda: frame_auc([[], []], [[], []]), "labels and scores are empty"),
        (lambda: frame_auc([0, 1], [0.5, 0.1]), r"of a single video, give \[labels\] and \[scores"),
        (lambda: frame_auc([[0.5, 0.1]], [[0, 1]]), "0 or 1 for each frame; they come first"),
        (lambda: frame_auc([[0.5, 0.1, 0]], [[0, 1, 1]]), "0 or 1 for each frame"),
        (lambda: frame_auc([[0, 1, 2]], [[0.5, 0.1, 0]]), "0 or 1 for each frame"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("labels", [[0, 255], [-1, 1], [False, True], [0.0, 1.0]])
def test_any_two_labels_tell_frames_apart(labels):
    assert frame_auc([labels], [[0.1, 0.2]]) == 1
