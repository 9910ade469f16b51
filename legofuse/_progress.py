"""Progress of a fit: lines that are printed, and tasks that callbacks hear of.

This module imports nothing from legofuse.
"""

import time
from contextlib import contextmanager


class Stages:
    """The stages of one fit.

    Parameters
    ----------
    estimator : estimator
    context : callback context
        Of ``_init_callback_context``.
    n_stages : int
    """

    def __init__(self, estimator, context, n_stages):
        self.estimator, self.context, self.n_stages = estimator, context, n_stages
        self.done, self.notes, self.task = 0, "", context

    @contextmanager
    def stage(self, name, n_steps=0):
        """Run one stage: callbacks hear of its beginning and its end, ``verbose`` prints a line.

        At most `n_steps` times it may call :meth:`step`.
        """
        self.task = task = self.context.subcontext(task_name=name, max_subtasks=n_steps)
        task.call_on_fit_task_begin(estimator=self.estimator)
        start, self.notes = time.perf_counter(), ""
        yield
        self.done += 1
        if self.estimator.verbose:
            took = time.perf_counter() - start
            notes = f": {self.notes}" if self.notes else ""
            print(
                f"[{type(self.estimator).__name__}] {self.done}/{self.n_stages} {name}{notes} "
                f"({took:.2f} s)"
            )
        task.call_on_fit_task_end(estimator=self.estimator)

    def step(self, name):
        """One step of the stage is done: callbacks hear of that, too."""
        task = self.task.subcontext(task_name=name)
        task.call_on_fit_task_begin(estimator=self.estimator)
        task.call_on_fit_task_end(estimator=self.estimator)

    def note(self, text):
        """Say something about the stage in its line."""
        self.notes = text
