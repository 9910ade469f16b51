"""Names to adjacent columns."""

import numpy as np


def slices(widths):
    """Contiguous slices by name from widths by name."""
    ends = np.cumsum(list(widths.values())).tolist()
    return {n: slice(end - widths[n], end) for n, end in zip(widths, ends, strict=True)}
