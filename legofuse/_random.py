"""Draws that leave the global generator alone. Imports none of us; anyone may import it."""

from copy import deepcopy

from sklearn.utils import check_random_state


def random_generator(random_state):
    """Draws as scikit-learn does; None draws as the global generator would, and leaves it alone."""
    rng = check_random_state(random_state)
    return deepcopy(rng) if random_state is None else rng
