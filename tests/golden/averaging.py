"""Averages of weights by torch.optim.swa_utils and optax."""

import jax.numpy as jnp
import numpy as np
import optax
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn

from oracle import JAX, TORCH, File, draw, segment, stored

OPTAX = f"optax {optax.__version__}, {JAX}"
# Two tensors, with a gap whose contents must stay.
SEGMENTS = [segment(0, 9), segment(12, 3, 2)]
LEN, STEPS, GARBAGE = 15, 4, 7.0


def live(values):
    return np.concatenate([values[s["start"] : s["start"] + s["len"]] for s in SEGMENTS])


def filled(arena, values):
    """The arena with other values between its gaps."""
    out, at = np.array(arena), 0
    for s in SEGMENTS:
        out[s["start"] : s["start"] + s["len"]] = values[at : at + s["len"]]
        at += s["len"]
    return out


class TorchAverage:
    """AveragedModel of a module with one parameter. Its first update copies, which is an average with d = 0; who wants an
    average that begins elsewhere says so."""

    name = TORCH

    def __init__(self, start, avg_fn=None):
        self.model = torch.nn.Module()
        self.model.p = torch.nn.Parameter(torch.tensor(live(start)))
        self.average = AveragedModel(self.model, avg_fn=avg_fn)
        self.average.n_averaged += 0 if avg_fn is None else 1

    def step(self, w):
        with torch.no_grad():
            self.model.p.copy_(torch.tensor(live(w)))
            self.average.update_parameters(self.model)
            self.average.module.p.copy_(torch.tensor(stored(self.average.module.p.numpy())))
        return self.average.module.p.detach().numpy().copy()


class OptaxAverage:
    """optax.incremental_update with the share of the newest as a function of the number of updates before."""

    name = OPTAX

    def __init__(self, start, share):
        self.average, self.share, self.updates = jnp.asarray(live(start)), share, 0

    def step(self, w):
        new = optax.incremental_update(jnp.asarray(live(w)), self.average, self.share(self.updates))
        self.updates += 1
        self.average = jnp.asarray(stored(new))
        return np.asarray(self.average)


class OptaxDebiased:
    """optax.ema with debias: its state is the average before the division."""

    name = OPTAX

    def __init__(self, decay):
        self.rule, self.decay = optax.ema(decay, debias=True), decay
        self.state = self.rule.init(jnp.zeros(len(live(np.zeros(LEN)))))

    def step(self, w):
        out, state = self.rule.update(jnp.asarray(live(w)), self.state)
        out = stored(out)
        # What a buffer of the divided average holds.
        held = out * (1 - self.decay ** int(state.count))
        self.state = state._replace(ema=jnp.asarray(held))
        return out


def tensorflow(decay):
    """The decay of tf.train.ExponentialMovingAverage with num_updates, as its documentation states it."""
    return lambda t: min(decay, (1 + t) / (10 + t))


def polyak(decay):
    return lambda t: min(decay, t / (t + 1))


def ema_cases():
    """(name, decay, warm-up by number of updates, start, oracles)."""
    start = draw(900, LEN)
    none = lambda t: "none"
    yield "decay 0.9, from a copy", 0.9, none, start, [
        TorchAverage(start, get_ema_avg_fn(0.9)),
        OptaxAverage(start, lambda t: 1 - 0.9),
    ]
    # PyTorch counts the updates for the function it is given; its first call here is number 1.
    flow = tensorflow(0.35)
    yield "TensorFlow's warm-up, up to decay 0.35", 0.35, lambda t: {"tensorflow": {"updates": t}}, start, [
        TorchAverage(start, lambda a, w, n: get_ema_avg_fn(flow(int(n) - 1))(a, w, n)),
        OptaxAverage(start, lambda t: 1 - flow(t)),
    ]
    equal, some = polyak(1.0), polyak(0.6)
    yield "Polyak: the equal average", 1.0, lambda t: {"polyak": {"updates": t}}, start, [
        TorchAverage(start),
        OptaxAverage(start, lambda t: 1 - equal(t)),
    ]
    yield "the equal average, then decay 0.6", 0.6, lambda t: {"polyak": {"updates": t}}, start, [
        TorchAverage(start, lambda a, w, n: get_ema_avg_fn(some(int(n) - 1))(a, w, n)),
        OptaxAverage(start, lambda t: 1 - some(t)),
    ]
    yield "debiased, decay 0.9", 0.9, lambda t: {"debiased": {"updates": t}}, start, [OptaxDebiased(0.9)]


def run(file, name, fields, start, oracles, seed):
    results = []
    for oracle in oracles:
        average, steps = start.copy(), []
        for t in range(STEPS):
            w = draw(seed + t, LEN)
            inputs = {"weight": w} | ({"average": average.copy()} if t == 0 else {})
            average = filled(average, oracle.step(w))
            own = {"dtype": "f32", "segments": SEGMENTS} | fields(t)
            steps.append((own, inputs, {"average": average.copy()}))
        file.add(name, oracle.name, *steps)
        results.append(average)
    for other in results[1:]:
        assert np.abs(results[0] - other).max() <= 4e-7, f"{file.op}, {name}"


def files():
    ema, swa = File("ema"), File("swa")
    for i, (name, decay, warmup, start, oracles) in enumerate(ema_cases()):
        run(ema, name, lambda t: {"decay": decay, "warmup": warmup(t)}, start, oracles, 910 + 10 * i)
    garbage = np.full(LEN, GARBAGE)
    oracles = [TorchAverage(garbage), OptaxAverage(garbage, lambda t: 1 / (t + 1))]
    run(swa, "AveragedModel's default", lambda t: {"averaged": t}, garbage, oracles, 980)
    return [ema, swa]
