r"""Offsets and spreads of domains beside those of classes, shrunk as far as they may be error."""

import numpy as np
import scipy.sparse as sp

from ..graphs import take
from ._moved import as_array

NOTHING = 1e-12  # variance of a standardised feature that does not vary, or share of variance
_BLOCK = 4096
_CAUTION = 5.0  # how many times their own error estimates are shrunk for


class Cells:
    """Weight, sums and sums of squares of standardised rows, by cell (class and domain)."""

    def __init__(self, X, index, rows, weight, cells, stats):
        n_cells, n_features = int(cells.max()) + 1, len(index)
        self.count = np.zeros(n_cells)
        self.sums, self.squares = np.zeros((2, n_cells, n_features))
        for start in range(0, len(rows), _BLOCK):
            part = slice(start, start + _BLOCK)
            z = (as_array(take(X, index, rows[part])) - stats.mean) / stats.scale
            have = ~np.isnan(z[:, 0])
            z, mass = z[have].astype(float), weight[part][have]
            where = cells[part][have], np.arange(len(z))
            member = sp.csr_array((mass, where), shape=(n_cells, len(z)))
            self.count += np.bincount(where[0], mass, n_cells)
            self.sums += member @ z
            self.squares += member @ z**2

    def variation(self):
        """Sums of squares about the means; of equal numbers 0, not what rounding leaves."""
        means = self.sums / np.maximum(self.count[:, None], 1e-300)
        about = self.squares - means * self.sums
        return np.where(about > NOTHING * self.squares, about, 0.0)


def estimate(cells, shape):
    """Offsets and factors of each domain, (n_domains, n_features), in standardised units.

    And how far unequal shares of classes move the mean of a domain, squared, in error variances.
    """
    n_classes, n_domains = shape
    kind, domain = np.unravel_index(np.arange(len(cells.count)), shape)
    inside, count = np.eye(n_domains)[domain], cells.count[:, None]
    mass = inside.T @ cells.count
    squares = inside.T @ cells.variation()
    common = squares.sum(axis=0) / max(mass.sum(), 1e-300)
    factors = np.array([factor_of(*each, common) for each in zip(mass, squares, strict=True)])
    sums = cells.sums * factors[domain]
    design = np.hstack([np.eye(n_classes)[kind], inside])
    normal = design.T @ (count * design)
    normal[n_classes:, n_classes:] += 1e-3 * np.eye(n_domains)  # one of the offsets is free
    offsets = np.linalg.lstsq(normal, design.T @ sums, rcond=None)[0][n_classes:]
    whole = (inside.T @ sums) / np.maximum(mass, 1e-300)[:, None]
    offsets, whole = (part - mass @ part / max(mass.sum(), 1e-300) for part in (offsets, whole))
    varies = common > NOTHING
    mixed = float(_typical(((whole - offsets) ** 2)[:, varies] / common[varies]))
    for k, n_rows in enumerate(mass):
        offsets[k] *= trust_offset(n_rows, offsets[k], common)
    return offsets, factors, mixed


def class_means(cells, shape, offsets, factors):
    """Means of the classes without the shifts of domains, and the variance within them."""
    kind, domain = np.unravel_index(np.arange(len(cells.count)), shape)
    inside, count, factors = np.eye(shape[0])[:, kind], cells.count[:, None], factors[domain]
    squares = cells.variation() * factors**2
    sums, mass = inside @ (cells.sums * factors - count * offsets[domain]), inside @ count
    means = np.divide(sums, mass, out=np.full_like(sums, np.nan), where=mass > 0)
    return [means, squares.sum(axis=0) / max(mass.sum(), 1e-300)]


def centre_of(stats, offset, factor):
    """Where a domain lies in the features as given; constant ones stay where they are."""
    return stats.mean + np.where(np.isfinite(stats.scale), stats.scale, 0) * offset / factor


def _typical(squares):
    """Variance of normal numbers from the median of their squares."""
    return np.median(squares) / 0.455 if squares.size else 0.0


def _trust(variance, error):
    """Share to believe of estimates of some variance, of which a part is error."""
    variance = max(float(variance) - error, 0.0)
    return variance / (variance + _CAUTION * error)


def trust_offset(n_rows, offset, common, mixed=0.0):
    """Share to believe of the offset of a domain, by how large it is in its features."""
    varies = common > NOTHING
    if n_rows <= 0 or not varies.any():
        return 0.0
    return _trust(_typical(offset[varies] ** 2 / common[varies]), 1 / n_rows + mixed)


def factor_of(n_rows, squares, common):
    """Factor that brings the spread of a domain to the common one, as far as it is believed.

    ``squares`` are sums of squares about means, ``common`` is a variance.
    """
    varies = common > NOTHING
    if n_rows <= 0 or not varies.any():
        return np.ones_like(common)
    ratio = np.ones_like(common)
    ratio[varies] = squares[varies] / common[varies] / n_rows
    ratio[ratio < NOTHING] = 0  # equal numbers, up to rounding
    overall = float(np.median(ratio[varies])) or 1.0
    ratio[varies] = overall * (n_rows * ratio[varies] / overall + 1) / (n_rows + 1)
    logs = np.log(ratio)
    return np.exp(-0.5 * logs * _trust(_typical(logs[varies] ** 2), 2 / n_rows))
