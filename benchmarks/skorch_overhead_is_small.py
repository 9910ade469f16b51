"""Claim: skorch adds at most a fifth to the time of a bare torch loop that trains the same model.

The model is that of the anomaly classifier (fusion, head, top-k pooling) on ragged bags, in
batches of 64; both loops see the same batches, take the same steps and end at the same weights.
Epochs of the two alternate. On an accelerator if there is one.

    python benchmarks/skorch_overhead_is_small.py
"""

import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from legofuse._threads import single_threaded_openmp
from legofuse.fusion import exponents
from legofuse.nn import (
    BagLoss,
    BagModel,
    BagSettings,
    TensorBatches,
    TensorData,
    fit_net,
    make_generator,
    make_net,
    resolve_device,
)
from legofuse.nn.bag_fit import pack_bags

BAGS, UNITS, REFERENCES, VIEWS, REPEATS = 640, 32, 128, 2, 15


def make_data(device):
    rng = np.random.default_rng(0)
    lengths = rng.integers(UNITS // 2, UNITS + UNITS // 2, BAGS)
    labels = np.arange(BAGS) % 2
    shift = np.repeat(labels, lengths)[:, None] * 0.2
    shape = lengths.sum(), REFERENCES
    relations = [rng.uniform(-1, 1, shape) * 0.5 + shift for _ in range(VIEWS)]
    packed = pack_bags({"relations": relations}, lengths, device=device)
    y = torch.tensor(labels, dtype=torch.float32, device=device)
    return TensorData(packed, y, torch.ones_like(y))


def make_model(settings, generator):
    powers = exponents(VIEWS, 2)
    start = np.full(len(powers), 1 / len(powers))
    return BagModel(powers, range(VIEWS), REFERENCES, settings, start, generator)


def bare_loop(data, device):
    """What torch users write; returns the model and a function that trains for one epoch."""
    settings, generator = BagSettings(), make_generator(0)
    model, criterion = make_model(settings, generator).to(device), BagLoss(settings)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay
    )
    batches = TensorBatches(data, settings.batch_size, shuffle=True, generator=generator)

    def epoch():
        model.train()
        total = 0.0
        for packed, target in batches:
            optimizer.zero_grad()
            loss = criterion(model(packed), target)
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total / len(batches)

    return model, epoch


def skorch_loop(data, device):
    settings, generator = BagSettings(), make_generator(0)
    net = make_net(
        make_model(settings, generator),
        BagLoss(settings),
        optimizer=torch.optim.AdamW,
        lr=settings.lr,
        batch_size=settings.batch_size,
        generator=generator,
        device=device,
        optimizer__weight_decay=settings.weight_decay,
    )
    net.initialize()
    return net.module_, lambda: fit_net(net, data, epochs=1)


def seconds(work, device):
    start = time.perf_counter()
    work()
    if device.type != "cpu":
        torch.accelerator.synchronize()
    return time.perf_counter() - start


if __name__ == "__main__":
    device = resolve_device("auto")
    torch.get_num_threads()
    with single_threaded_openmp():
        data = make_data(device)
        (bare, bare_epoch), (module, skorch_epoch) = (
            loop(data, device) for loop in (bare_loop, skorch_loop)
        )
        took = [
            (seconds(bare_epoch, device), seconds(skorch_epoch, device)) for _ in range(REPEATS)
        ]
    for one, other in zip(bare.parameters(), module.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)
    plain, skorch = (statistics.median(times) for times in zip(*took[1:], strict=True))
    share = statistics.median(with_skorch / without - 1 for without, with_skorch in took[1:])
    print(f"{BAGS} bags of about {UNITS} units, {VIEWS} views, {REFERENCES} references; {device}")
    print(f"bare torch loop {1e3 * plain:8.1f} ms an epoch")
    print(f"through skorch  {1e3 * skorch:8.1f} ms an epoch")
    print(f"ratio: {share:.3g} time of skorch over that of a bare torch loop, less 1 (at most 0.2)")
