"""Six classic descriptions of grey images of 8 x 8 pixels, each (n, 8, 8) -> (n, n_features)."""

import math

import numpy as np


def _pixels(images):
    """Grey values, 64."""
    return images.reshape(len(images), -1)


def _fourier(images):
    """Magnitudes of the 2-D Fourier transform, 34: unchanged when the image is shifted."""
    magnitudes = np.abs(np.fft.rfft2(images))
    once = np.ones(magnitudes.shape[1:], dtype=bool)
    once[5:, [0, 4]] = False  # complex conjugates of rows 1 to 3
    return magnitudes[:, once]


def _gradients(images, n_bins=8):
    """Histograms of gradient orientation, 8 bins in 3 x 3 overlapping cells of 4 x 4 pixels, 72."""
    down, right = np.gradient(images, axis=(1, 2))
    angle = np.arctan2(down, right)[..., None] * n_bins / (2 * np.pi)
    half = n_bins / 2
    distance = np.abs((angle - np.arange(n_bins) + half) % n_bins - half)
    votes = np.hypot(down, right)[..., None] * np.maximum(1 - distance, 0)
    cells = np.lib.stride_tricks.sliding_window_view(votes, (4, 4), axis=(1, 2))[:, ::2, ::2]
    return cells.sum(axis=(-1, -2)).reshape(len(images), -1)


def _ink(images):
    """Pixels darker than half the darkest of their image."""
    return images > images.max(axis=(1, 2), keepdims=True) / 2


def _profiles(images):
    """Ink along rows, columns and diagonals, and the depth of white on each side, 70."""
    ink = _ink(images)
    flips = (ink, ink[:, ::-1], ink.swapaxes(1, 2), ink.swapaxes(1, 2)[:, ::-1])
    depths = [np.where(side.any(axis=1), side.argmax(axis=1), side.shape[1]) for side in flips]
    diagonals = [
        [picture.trace(offset, 1, 2) for offset in range(-5, 6)]
        for picture in (images, images[:, :, ::-1])
    ]
    return np.hstack([images.sum(axis=1), images.sum(axis=2), *depths, *np.array(diagonals).mT])


def _zernike(images, order=8):
    r"""Magnitudes of the Zernike moments up to order 8, 25: unchanged when the image is turned.

    :math:`A_{nm} = \frac{n+1}{\pi} \sum f(\rho, \theta) R_{nm}(\rho) e^{-im\theta}` over the disc
    around the whole image [1]_.

    .. [1] A. Khotanzad and Y. H. Hong, "Invariant image recognition by Zernike moments", IEEE
       PAMI 12(5), 1990.
    """
    axis = np.linspace(-1, 1, images.shape[1]) / math.sqrt(2)
    rho, theta = np.hypot(axis, axis[:, None]), np.arctan2(axis[:, None], axis)
    basis = [
        (n + 1) / np.pi * _radial(n, m, rho) * np.exp(-1j * m * theta)
        for n in range(order + 1)
        for m in range(n % 2, n + 1, 2)
    ]
    return np.abs(np.einsum("kij,nij->nk", np.array(basis), images))


def _radial(n, m, rho):
    """Zernike's radial polynomial R_nm."""
    return sum(
        (-1) ** k
        * (math.comb(n - k, k) * math.comb(n - 2 * k, (n - m) // 2 - k))
        * rho ** (n - 2 * k)
        for k in range((n - m) // 2 + 1)
    )


def _shape(images):
    """Area, perimeter, Euler number, centre, spread, slant and elongation of the ink, 9."""
    ink = np.pad(_ink(images), [(0, 0), (1, 1), (1, 1)])
    quads = np.lib.stride_tricks.sliding_window_view(ink, (2, 2), axis=(1, 2))
    count = quads.sum(axis=(-1, -2))
    # Euler number by bit quads (Gray 1971), ink connected through corners too
    crossed = (count == 2) & (quads[..., 0, 0] == quads[..., 1, 1])
    euler = ((count == 1) * 1 - (count == 3) - 2 * crossed).sum(axis=(1, 2)) / 4
    perimeter = (ink[:, 1:] ^ ink[:, :-1]).sum((1, 2)) + (ink[..., 1:] ^ ink[..., :-1]).sum((1, 2))
    mass = images / images.sum(axis=(1, 2), keepdims=True)
    place = np.arange(images.shape[1])
    row, column = mass.sum(axis=2) @ place, mass.sum(axis=1) @ place
    down, right = place - row[:, None], place - column[:, None]
    tall = np.einsum("nij,ni,ni->n", mass, down, down)
    wide = np.einsum("nij,nj,nj->n", mass, right, right)
    slant = np.einsum("nij,ni,nj->n", mass, down, right)
    elongation = np.hypot(tall - wide, 2 * slant) / (tall + wide)
    area = ink.sum(axis=(1, 2))
    columns = [area, perimeter, euler, row, column, tall, wide, slant, elongation]
    return np.column_stack(columns)


DESCRIPTORS = {
    "pixels": _pixels,
    "fourier": _fourier,
    "gradients": _gradients,
    "profiles": _profiles,
    "zernike": _zernike,
    "shape": _shape,
}
