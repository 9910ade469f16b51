"""Claim: an accelerator fits the net on bags faster than the CPU, and the fit scores alike there.

2000 bags of 32 units, two views of 1024 features, 512 landmarks: the whole fit of a
`LEGOAnomalyClassifier(head="net")`, and its parts. Reading and encoding rows is numpy's work on the
CPU either way; encoded rows go to the device once, and relations, bags, fusion, head and training
are there. With a path, the model fitted on the accelerator is pickled with its scores, so
that a machine without one can check them (`--check`).

    python benchmarks/gpu_fit_against_cpu.py [PICKLE | --check PICKLE]
"""

import pickle
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks._claims import accelerator, claim
from legofuse import LEGOAnomalyClassifier
from legofuse.fusion import exponents
from legofuse.nn import BagSettings, fit_bags, resolve_device, restore_bags, score_bags

BAGS, UNITS, FEATURES, LANDMARKS, EPOCHS = 2000, 32, 1024, 512, 40


def make_bags(n_bags=BAGS, seed=0):
    """Bags of noise; in half of them one unit is moved a little, always by the same step."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n_bags) % 2
    X = rng.standard_normal((n_bags, UNITS, 2 * FEATURES), dtype=np.float32)
    step = np.random.default_rng(1).standard_normal(2 * FEATURES, dtype=np.float32)
    X[labels == 1, 0] += 0.5 * step
    return X, labels


def make_model(device, epochs=EPOCHS, relation="correlation"):
    views = {"one": slice(0, FEATURES), "other": slice(FEATURES, 2 * FEATURES)}
    return LEGOAnomalyClassifier(
        views,
        head="net",
        pooling="units",
        reference="landmarks",
        relation=relation,
        degree=2,
        n_references=LANDMARKS,
        max_epochs=epochs,
        device=device,
        random_state=0,
    )


def make_relations():
    """Numbers in the place of relations, for the training alone."""
    rng = np.random.default_rng(0)
    shape = BAGS * UNITS, LANDMARKS
    return [rng.uniform(-1, 1, shape).astype(np.float32) for _ in range(2)]


def train(relations, labels, device, epochs=EPOCHS):
    powers = exponents(2, 2)
    return fit_bags(
        {"relations": relations},
        np.full(BAGS, UNITS),
        labels,
        np.ones(BAGS),
        powers=powers,
        views=["one", "other"],
        start=np.full(len(powers), 1 / len(powers)),
        settings=BagSettings(max_epochs=epochs),
        device=device,
        random_state=0,
    )


def seconds(work):
    start = time.perf_counter()
    done = work()
    return done, time.perf_counter() - start


def check(path):
    """Whether a model fitted elsewhere scores here as it did there."""
    with open(path, "rb") as file:
        model, there = pickle.load(file)
    X, _ = make_bags(100, seed=2)
    here = model.decision_function(X)
    worst = np.abs(here - there).max() / np.abs(there).max()
    print(f"scored on {resolve_device('auto')}; fitted there, {np.ptp(there):.3g} from end to end")
    claim(worst, "difference of scores / largest score", at_most=1e-5)


def main(path=None):
    device = str(resolve_device("auto"))
    if device == "cpu":
        print("ratio: none, no accelerator is there")
        return
    name = accelerator() or device
    print(f"{name} against {torch.get_num_threads()} threads of the CPU, {EPOCHS} epochs")
    X, labels = make_bags()
    relations = make_relations()
    train(relations, labels, device, epochs=1)  # starts the device
    _, alone_cpu = seconds(lambda: train(relations, labels, "cpu"))
    fitted, alone = seconds(lambda: train(relations, labels, device))
    print(f"training alone   {alone_cpu:8.2f} s on the CPU  {alone:8.2f} s on the accelerator")
    few = {"relations": [graph[: 100 * UNITS] for graph in relations]}, np.full(100, UNITS)
    there, here = (score_bags(restore_bags(fitted.state, d), *few)[0] for d in (device, "cpu"))
    print(f"scores of that net on the CPU differ by at most {np.abs(there - here).max():.1e}")
    for relation in ("correlation", "auto"):
        fits = [partial(make_model(d, 1, relation).fit, X, labels) for d in ("cpu", device)]
        brief_cpu, brief = (seconds(fit)[1] for fit in fits)
        print(
            f"fit of one epoch {brief_cpu:8.2f} s on the CPU  {brief:8.2f} s on the accelerator, "
            f"relation={relation!r}"
        )
    _, whole_cpu = seconds(lambda: make_model("cpu").fit(X, labels))
    model, whole = seconds(lambda: make_model(device).fit(X, labels))
    print(f"whole fit        {whole_cpu:8.2f} s on the CPU  {whole:8.2f} s on the accelerator")
    claim(alone / alone_cpu, "training on the accelerator / on the CPU", at_most=1)
    claim(brief / brief_cpu, "fit of one epoch on the accelerator / on the CPU, auto", at_most=1)
    claim(whole / whole_cpu, "whole fit on the accelerator / on the CPU", at_most=1)
    if path:
        with open(path, "wb") as file:
            pickle.dump((model, model.decision_function(make_bags(100, seed=2)[0])), file)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        check(sys.argv[2])
    else:
        main(*sys.argv[1:2])
