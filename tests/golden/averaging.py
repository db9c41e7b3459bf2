"""Averages of weights by torch.optim.swa_utils and optax; the perturbation of SAM and ASAM."""

import jax.numpy as jnp
import numpy as np
import optax
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn

from oracle import JAX, TORCH, File, agree, draw, segment, stored

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


class TorchSam:
    """The step as both papers have it, by torch.linalg over all tensors together; the way back is a copy."""

    name = TORCH

    def __init__(self, rho, eps, eta):
        self.rho, self.eps, self.eta = rho, eps, eta

    def there(self, w, g):
        w, g = torch.tensor(live(w)), torch.tensor(live(g))
        reach = torch.ones_like(w) if self.eta is None else w.abs() + self.eta
        norm = torch.linalg.vector_norm(reach * g)
        e = self.rho * reach.square() * g / (norm + self.eps) if norm > 0 else torch.zeros_like(w)
        return (w + e).numpy()

    def back(self, w, moved):
        model = torch.nn.ParameterList([torch.tensor(live(w))])
        kept = {k: v.clone() for k, v in model.state_dict().items()}
        model.load_state_dict({"0": torch.tensor(moved)})
        model.load_state_dict(kept)
        return model[0].detach().numpy()


class OptaxSam:
    """optax.contrib.sam, whose update goes there and back by turns; ASAM with a gradient and a step that T has multiplied."""

    name = OPTAX

    def __init__(self, rho, eps, eta):
        assert eps == 0, "optax adds nothing to the norm"
        adversary = optax.chain(optax.contrib.normalize(), optax.sgd(rho))
        self.rule, self.eta = optax.contrib.sam(optax.set_to_zero(), adversary, sync_period=2), eta

    def there(self, w, g):
        w, g = jnp.asarray(live(w)), jnp.asarray(live(g))
        reach = jnp.ones_like(w) if self.eta is None else jnp.abs(w) + self.eta
        self.state = self.rule.init(w)
        update, self.state = self.rule.update(reach * g, self.state, w)
        return np.asarray(optax.apply_updates(w, reach * update))

    def back(self, w, moved):
        update, _ = self.rule.update(jnp.ones(len(moved)), self.state, jnp.asarray(moved))
        return np.asarray(optax.apply_updates(jnp.asarray(moved), update))


def sam_cases():
    """(name, rho, eps, eta, spread of the gradient, oracles)."""
    both = (TorchSam, OptaxSam)
    yield "SAM, rho 0.05", 0.05, 0.0, None, 1.0, both
    yield "SAM, 1e-12 added to the norm, small gradients", 0.05, 1e-12, None, 1e-9, (TorchSam,)
    yield "SAM, gradients whose squares float32 does not hold", 0.05, 0.0, None, 1e25, both
    yield "ASAM, rho 0.5, eta 0.01", 0.5, 0.0, 0.01, 1.0, both
    yield "no gradient", 0.5, 0.0, None, 0.0, (TorchSam,)


def sam():
    there, back = File("sam_perturb"), File("sam_restore")
    garbage = np.full(LEN, GARBAGE)
    for i, (name, rho, eps, eta, spread, oracles) in enumerate(sam_cases()):
        w, g = draw(1000 + i, LEN), draw(1050 + i, LEN, spread=spread)
        fields = {"dtype": "f32", "segments": SEGMENTS, "rho": rho, "eps": eps, "adaptive": eta}
        for oracle in oracles:
            rule = oracle(rho, eps, eta)
            moved = rule.there(w, g)
            saved = filled(garbage, live(w))
            inputs = {"grad": g, "weight": w, "saved": garbage}
            there.add(name, rule.name, (fields, inputs, {"weight": filled(w, moved), "saved": saved}))
            if i == 0:
                restored = {"weight": filled(w, rule.back(w, moved))}
                agree("the way back", restored["weight"], w)
                where = {"dtype": "f32", "segments": SEGMENTS}
                back.add(name, rule.name, (where, {"saved": saved, "weight": filled(w, stored(moved))}, restored))
    return [there, back]


def files():
    ema, swa = File("ema"), File("swa")
    for i, (name, decay, warmup, start, oracles) in enumerate(ema_cases()):
        run(ema, name, lambda t: {"decay": decay, "warmup": warmup(t)}, start, oracles, 910 + 10 * i)
    garbage = np.full(LEN, GARBAGE)
    oracles = [TorchAverage(garbage), OptaxAverage(garbage, lambda t: 1 / (t + 1))]
    run(swa, "AveragedModel's default", lambda t: {"averaged": t}, garbage, oracles, 980)
    return [ema, swa, *sam()]
