"""Scores of frames, as the video anomaly field evaluates them."""

import numpy as np

__all__ = ["frame_auc", "frame_labels", "frame_scores"]


def frame_scores(scores, spans, n_frames, fps=None):
    """Scores of a video's frames from the scores of its units (clips, captions, segments).

    A frame gets the largest score of the units whose span covers it; a frame that no unit covers
    gets the smallest score of the video. Every span covers at least one frame: rounded to whole
    frames, and outside the video the first or the last one.

    Parameters
    ----------
    scores : array-like of shape (n_units,)
        Larger is more anomalous.
    spans : array-like of shape (n_units, 2)
        Start and end of each unit, the end not included: in frames, or in seconds with `fps`.
    n_frames : int
        Frames in the video.
    fps : float, optional
        Frames a second, where spans are in seconds.

    Returns
    -------
    ndarray of shape (n_frames,)
        Score of each frame.

    Raises
    ------
    ValueError
        If shapes do not fit, there is no unit or frame, a span ends before it starts, or numbers
        are not finite.

    See Also
    --------
    frame_labels : The truth to compare with.
    frame_auc : Area under the ROC curve over the frames of all videos.

    Examples
    --------
    >>> from legofuse.inspection import frame_scores
    >>> frame_scores([0.2, 0.9, 0.1], [[0, 3], [2, 4], [4, 5]], n_frames=7)
    array([0.2, 0.2, 0.9, 0.9, 0.1, 0.1, 0.1])
    """
    scores = np.asarray(scores, dtype=float)
    spans = np.asarray(spans, dtype=float)
    if scores.ndim != 1 or len(scores) == 0 or spans.shape != (len(scores), 2):
        raise ValueError(
            "scores must be 1-D with at least one unit, and spans must hold a start and an end for "
            f"each; got shapes {scores.shape} and {spans.shape}."
        )
    if not (np.isfinite(scores).all() and np.isfinite(spans).all()):
        raise ValueError("scores and spans must be finite numbers.")
    if fps is not None and not 0 < fps < np.inf:
        raise ValueError(f"fps must be a number above 0; got {fps!r}.")
    if n_frames < 1:
        raise ValueError(f"n_frames must be at least 1; got {n_frames}.")
    if not (spans[:, 1] >= spans[:, 0]).all():
        unit = int(np.argmin(spans[:, 1] >= spans[:, 0]))
        raise ValueError(f"the span of unit {unit} ends before it starts: {spans[unit].tolist()}.")
    edges = np.rint(spans * (1.0 if fps is None else fps)).astype(int)
    starts = np.clip(edges[:, 0], 0, n_frames - 1)
    ends = np.clip(edges[:, 1], starts + 1, n_frames)
    frames = np.full(n_frames, -np.inf)
    for score, start, end in zip(scores, starts, ends, strict=True):
        np.maximum(frames[start:end], score, out=frames[start:end])
    frames[np.isneginf(frames)] = scores.min()
    return frames


def frame_labels(intervals, n_frames):
    """Truth of a video's frames: 1 inside any of the intervals, else 0.

    Parameters
    ----------
    intervals : array-like of shape (n_intervals, 2)
        First frame of each anomaly and the frame after its last. Rows that begin below 0 stand
        for no anomaly and are skipped, as data sets pad their lists.
    n_frames : int
        Number of frames of the video.

    Returns
    -------
    ndarray of int64, shape (n_frames,)
        1 for anomalous frames.

    Examples
    --------
    >>> from legofuse.inspection import frame_labels
    >>> frame_labels([[1, 3], [-1, -1]], n_frames=5)
    array([0, 1, 1, 0, 0])
    """
    labels = np.zeros(n_frames, dtype=np.int64)
    for start, end in np.asarray(intervals, dtype=int).reshape(-1, 2):
        if start >= 0:
            labels[start:end] = 1
    return labels


def frame_auc(labels, scores):
    """Area under the ROC curve over the frames of all videos together.

    This is the field's protocol: frames of all test videos are put one after the other, and no
    score is normalised within its video.

    Parameters
    ----------
    labels : sequence of arrays of shape (n_frames_i,)
        Truth of the frames of each video, as `frame_labels` gives it.
    scores : sequence of arrays of shape (n_frames_i,)
        Score of each frame, video by video.

    Returns
    -------
    float
        Area under the curve.

    Raises
    ------
    ValueError
        If there is no frame, videos or frames do not match, labels are fractions or more than two,
        or all frames have one label.

    Examples
    --------
    >>> from legofuse.inspection import frame_auc
    >>> frame_auc([[0, 1], [0, 0]], [[0.1, 0.8], [0.9, 0.2]])  # one of three pairs is wrong
    0.666...
    """
    from sklearn.metrics import roc_auc_score

    labels, scores = ([np.asarray(part) for part in videos] for videos in (labels, scores))
    if any(part.ndim == 0 for part in labels + scores):
        raise ValueError(
            "labels and scores must hold an array for each video; of a single video, give "
            "[labels] and [scores]."
        )
    if [len(part) for part in labels] != [len(part) for part in scores]:
        raise ValueError("labels and scores must hold the same videos, with as many frames each.")
    if not any(map(len, labels)):
        raise ValueError("labels and scores are empty: give at least one video with frames.")
    truth = np.concatenate(labels)
    fractions = truth.dtype.kind == "f" and (np.mod(truth, 1) != 0).any()
    if fractions or len(np.unique(truth)) > 2:
        raise ValueError("labels must be 0 or 1 for each frame; they come first, then scores.")
    if len(np.unique(truth)) < 2:
        raise ValueError("all frames have the same label: the ROC curve needs both.")
    return float(roc_auc_score(truth, np.concatenate(scores)))
