"""Claim: an accelerator trains the net on bags faster than the CPU, and both learn the same.

2000 bags of 32 units, two views of 1024 features, 512 landmarks. Relations are computed by numpy
on the CPU either way; what is compared is moving them and training. The last line is the time on
the accelerator over that on the CPU, or says that there is none.

    python benchmarks/gpu_fit_against_cpu.py
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from legofuse.fusion import exponents
from legofuse.graphs import encode_rows, learn_statistics, relate_rows
from legofuse.nn import BagSettings, fit_bags, resolve_device, restore_bags, score_bags

BAGS, UNITS, FEATURES, LANDMARKS, EPOCHS = 2000, 32, 1024, 512, 40


def make_relations():
    """Relations of the units of all bags to landmarks, and the labels of the bags."""
    rng = np.random.default_rng(0)
    labels = np.arange(BAGS) % 2
    X = rng.standard_normal((BAGS * UNITS, 2 * FEATURES), dtype=np.float32)
    X[::UNITS] += 0.3 * labels[:, None] * rng.standard_normal(2 * FEATURES, dtype=np.float32)
    columns = {"one": np.arange(FEATURES), "other": np.arange(FEATURES, 2 * FEATURES)}
    graphs = [(view, "correlation") for view in columns]
    learned = learn_statistics(X, columns, np.arange(10_000), np.ones(10_000))
    rows = encode_rows(X, columns, graphs, learned)
    landmarks = rows[np.sort(rng.choice(len(X), LANDMARKS, replace=False))]
    return relate_rows(rows, landmarks, graphs, learned), labels


def fit(relations, labels, device, epochs=EPOCHS):
    powers = exponents(2, 2)
    start = time.perf_counter()
    found = fit_bags(
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
    return found, time.perf_counter() - start


if __name__ == "__main__":
    device = resolve_device("auto")
    if device.type == "cpu":
        print("ratio: none, no accelerator is there")
        sys.exit()
    began = time.perf_counter()
    relations, labels = make_relations()
    print(f"relations on the CPU   {time.perf_counter() - began:8.2f} s")
    fitted, on_cpu = fit(relations, labels, "cpu")
    threads = torch.get_num_threads()
    print(f"training on the CPU    {on_cpu:8.2f} s  ({EPOCHS} epochs, {threads} threads)")
    fit(relations, labels, str(device), epochs=1)  # starts the device
    fitted, on_device = fit(relations, labels, str(device))
    name = torch.cuda.get_device_name() if device.type == "cuda" else device.type
    print(f"training on {name}  {on_device:8.2f} s")
    some = {"relations": [graph[: 100 * UNITS] for graph in relations]}, np.full(100, UNITS)
    nets = [restore_bags(fitted.state, d) for d in (str(device), "cpu")]
    there, here = (score_bags(net, *some)[0] for net in nets)
    print(f"scores of that fit on the CPU differ by at most {np.abs(there - here).max():.1e}")
    print(f"ratio: {on_device / on_cpu:.3g} training on the accelerator / on the CPU (at most 1)")
