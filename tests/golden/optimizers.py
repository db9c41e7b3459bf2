"""How optimizers are asked: three steps in a row, two tensors in one arena. `sgd_adamw` and `adaptive` say which.

Penalties that a framework's optimizer does not have are added to the gradient by autograd (coupled), to the chain of
transformations by optax (decoupled decay of SGD), or done after the step by softshrink or jaxopt (proximal).
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

from torch.optim.swa_utils import get_ema_avg_fn

from oracle import JAX, TORCH, agree, draw, philox, segment, stored, weights
from penalties import factor, jaxopt_step, torch_prox

OPTAX = f"optax {optax.__version__}, {JAX}"
STEPS, LR = 3, 0.05
NONE = {"l1": 0.0, "l2": 0.0, "l2_form": "sum"}
PLAIN = {"lr_scale": 1.0, "coupled": NONE, "decay": 0.0, "decay_mode": "scaled_by_lr", "prox": NONE}
# Two tensors of two groups, a whole quad in the first, with a gap whose contents must stay.
SEGMENTS = [segment(0, 5, 0), segment(8, 3, 1)]
LEN = 11
NAN_STEP = 1


def half(l2):
    return {"l1": 0.0, "l2": l2, "l2_form": "half"}


def group(**changes):
    assert not set(changes) - set(PLAIN)
    return PLAIN | changes


def base(groups, **changes):
    fields = {"dtype": "f32", "segments": SEGMENTS, "groups": groups, "lr": LR}
    fields |= {"grad_scale": 1.0, "gpu_scale": False, "non_finite": "propagate"}
    return fields | changes


def parts(fields):
    return [(slice(s["start"], s["start"] + s["len"]), fields["groups"][s["group"]]) for s in fields["segments"]]


def gradient(g, w, coupled):
    """The gradient with the coupled penalty's, by PyTorch's autograd."""
    wt = torch.tensor(w, requires_grad=True)
    penalty = coupled["l1"] * wt.abs().sum() + factor(coupled) * wt.pow(2).sum()
    return g + torch.autograd.grad(penalty, wt)[0].numpy()


def halves(dtype, values):
    """Values as the storage type holds them, by both frameworks."""
    if dtype == "f32":
        return stored(values)
    types = {"f16": (torch.float16, jnp.float16), "bf16": (torch.bfloat16, jnp.bfloat16)}[dtype]
    out = torch.tensor(stored(values)).float().to(types[0]).double().numpy()
    agree(dtype, out, np.asarray(jnp.asarray(stored(values), jnp.float32).astype(types[1]), np.float64))
    return out


def at_random(values, at, seed, stream, step):
    """float32 values rounded to bfloat16 by 16 random bits each: added below the bits that stay, which are then cut off."""
    e = np.arange(at.start, at.stop)
    word = philox(e >> 3, seed, stream, step)[np.arange(len(e)), e & 3]
    random = (word >> (16 * ((e >> 2) & 1)).astype(np.uint32)) & np.uint32(0xFFFF)
    bits = np.asarray(values, np.float32).view(np.uint32) + random
    return (bits & np.uint32(0xFFFF0000)).view(np.float32).astype(np.float64)


def kept(rule, values, at):
    """What a rule goes on with from its new weights. An average of the same step sees them before a float32 buffer does."""
    exact, values = np.asarray(values, np.float64), stored(values)
    if "rounding" in rule.fields:
        exact = values = at_random(values, at, **rule.fields["rounding"]["stochastic"])
    rule.followed[at] = exact
    return values


class Torch:
    """torch.optim on every segment, float64, its state rounded to float32 after each step."""

    name = TORCH

    def __init__(self, op, fields, w):
        self.fields, self.w, self.followed = fields, w.copy(), w.copy()
        self.params = [torch.tensor(w[at]) for at, _ in parts(fields)]
        self.scaler = torch.amp.GradScaler("cpu", init_scale=8.0) if fields["non_finite"] == "skip" else None
        groups = []
        for p, (_, g) in zip(self.params, parts(fields)):
            lr = fields["lr"] * g["lr_scale"]
            # PyTorch's weight_decay is the slope: coupled in SGD and Adam, decoupled in AdamW.
            decay = g["decay"] if op == "adamw" else 2 * factor(g["coupled"])
            # AdamW's decay is scaled by lr; the independent one is asked for by dividing first.
            decay /= lr if g["decay_mode"] == "independent" else 1.0
            groups.append({"params": [p], "lr": lr, "weight_decay": decay})
        self.rule = self.make(op, fields, groups)

    def make(self, op, fields, groups):
        if op == "sgd":
            return torch.optim.SGD(groups, **{k: fields[k] for k in ("momentum", "dampening", "nesterov")})
        if any(g["coupled"]["l2"] for g in fields["groups"]):
            for entry, (_, g) in zip(groups, parts(fields)):
                assert g["decay"] == 0, "Adam's decay is either"
                entry["weight_decay"] = 2 * factor(g["coupled"])
            return torch.optim.Adam(groups, betas=(fields["beta1"], fields["beta2"]), eps=fields["eps"])
        assert "eps_place" not in fields, "PyTorch adds eps to the root"
        amsgrad = fields.get("amsgrad", False)
        return torch.optim.AdamW(groups, betas=(fields["beta1"], fields["beta2"]), eps=fields["eps"], amsgrad=amsgrad)

    def step(self, grad):
        for p, (at, g) in zip(self.params, parts(self.fields)):
            coupled = {**g["coupled"], "l2": 0.0}
            p.grad = torch.tensor(gradient(grad[at], p.numpy(), coupled))
            if self.scaler:
                p.grad = self.scaler.scale(p.grad)
        if self.scaler:
            self.scaler.step(self.rule)
            self.scaler.update(8.0)
        else:
            self.rule.step()
        lr = self.fields["lr"]
        for p, (at, g) in zip(self.params, parts(self.fields)):
            p.copy_(torch.tensor(kept(self, torch_prox(p, g["prox"], lr * g["lr_scale"]).numpy(), at)))
            self.w[at] = p.numpy()
            for v in self.rule.state[p].values():
                if torch.is_tensor(v) and v.shape == p.shape:
                    v.copy_(torch.tensor(stored(v.numpy())))
        return self.w.copy()

    def averaged(self, average, decay):
        return get_ema_avg_fn(decay)(torch.tensor(average), torch.tensor(self.followed), 1).numpy()

    def counted(self):
        """The steps that the optimizer made, by its own count; GradScaler calls it for those only."""
        counts = {int(self.rule.state[p]["step"]) for p in self.params}
        assert len(counts) == 1
        return counts.pop()

    def state(self, name):
        key = {"m": "exp_avg", "v": "exp_avg_sq", "v_max": "max_exp_avg_sq", "u": "exp_inf"}.get(name, name)
        return [self.rule.state[p].get(key, torch.zeros_like(p)).numpy().copy() for p in self.params]


def moments_eps(fields):
    """optax has an eps in each of both places."""
    assert not fields.get("amsgrad"), "optax takes the maximum behind the correction"
    inside = fields.get("eps_place") == "inside_root"
    return {"eps": 0.0, "eps_root": fields["eps"]} if inside else {"eps": fields["eps"]}


class Optax:
    """optax on every segment, float64, its state rounded likewise."""

    name = OPTAX

    def __init__(self, op, fields, w):
        self.fields, self.w, self.rules, self.followed = fields, w.copy(), [], w.copy()
        for at, g in parts(fields):
            rate = fields["lr"] * g["lr_scale"]
            independent = g["decay_mode"] == "independent"
            decay = optax.add_decayed_weights(-g["decay"] if independent else g["decay"])
            moments = self.direction(op, fields)
            # The rate of Adagrad may fall by itself.
            fall = fields.get("lr_decay", 0.0)
            scale = optax.scale_by_schedule(lambda n, rate=rate: -rate / (1 + n * fall)) if fall else optax.scale(-rate)
            # SGDW of Loshchilov and Hutter takes the decay as it is, AdamW as implemented everywhere times lr.
            chain = (moments, scale, decay) if independent else (moments, decay, scale)
            if op == "adamw" and not independent and not g["coupled"]["l2"]:
                more = moments_eps(fields) | {"weight_decay": g["decay"]}
                rule = optax.adamw(rate, fields["beta1"], fields["beta2"], **more)
            else:
                rule = optax.chain(optax.add_decayed_weights(2 * factor(g["coupled"])), *chain)
            if fields["non_finite"] == "skip":
                rule = optax.apply_if_finite(rule, max_consecutive_errors=10)
            p = jnp.asarray(w[at])
            self.rules.append([rule, rule.init(p), p])

    def direction(self, op, fields):
        if op == "sgd":
            assert fields["dampening"] == 0, "optax has no dampening"
            return optax.trace(fields["momentum"], fields["nesterov"])
        return optax.scale_by_adam(fields["beta1"], fields["beta2"], **moments_eps(fields))

    def step(self, grad):
        # The policy is for the whole arena: one bad gradient anywhere skips the step everywhere.
        bad = self.fields["non_finite"] == "skip" and not np.isfinite(grad).all()
        for entry, (at, g) in zip(self.rules, parts(self.fields)):
            rule, state, p = entry
            dg = grad[at] + g["coupled"]["l1"] * np.sign(np.asarray(p))
            update, state = rule.update(jnp.asarray(np.full_like(dg, np.nan) if bad else dg), state, p)
            p = optax.apply_updates(p, update)
            if not bad:
                p = jaxopt_step(p, g["prox"], self.fields["lr"] * g["lr_scale"])
            whole = lambda a: jnp.asarray(stored(a)) if a.dtype == jnp.float64 else a
            entry[1:] = [jax.tree.map(whole, state), jnp.asarray(kept(self, p, at))]
            self.w[at] = np.asarray(entry[2])
        return self.w.copy()

    def counted(self):
        """The steps that Adam's correction counts; apply_if_finite leaves the state of others alone."""
        counts = {int(optax.tree.get(state, "count")) for _, state, _ in self.rules}
        assert len(counts) == 1
        return counts.pop()

    def averaged(self, average, decay):
        return np.asarray(optax.incremental_update(jnp.asarray(self.followed), jnp.asarray(average), 1 - decay))

    def state(self, name):
        keys = {"momentum_buffer": "trace", "m": "mu", "v": "nu", "square_avg": "nu", "grad_avg": "mu"}
        key = (keys | {"sum": "sum_of_squares", "u": "nu"})[name]
        return [np.asarray(optax.tree.get(state, key)) for _, state, _ in self.rules]


def run(oracle, op, fields, seed, names, numbered=True, start=0.0):
    """The steps of one case. `names` are the state's buffers, which hold `start` before; steps have a number or not."""
    w = weights(seed, LEN)
    # The second group has a zero, too.
    w[9] = 0.0
    rule, steps, taken, skipped, skips = oracle(op, fields, w), [], 0, 0, fields["non_finite"] == "skip"
    arena = {name: np.full(LEN, 7.0) for name in names}
    for values in arena.values():
        for at, _ in parts(fields):
            values[at] = start
    dtype, master, ema = fields["dtype"], fields.get("master"), fields.get("ema")
    if dtype != "f32":
        w = w if master else halves(dtype, w)
        rule = oracle(op, fields, w)
    for name in ["master"] * bool(master) + ["ema"] * bool(ema):
        arena[name] = w.copy()
    inputs = {"weight": halves(dtype, w)} | {k: v.copy() for k, v in arena.items()}
    inputs |= {"skipped": np.zeros(1, np.uint32)} if skips else {}
    counts = fields.get("gpu_step", False)
    inputs |= {"steps": np.zeros(1, np.uint32)} if counts else {}
    # A group's defaults are left out, so that they are tried as well.
    must = ["decay"] if op in ("adamw", "lion") else []
    written = fields | {"groups": [{k: v for k, v in g.items() if v != PLAIN[k] or k in must} for g in fields["groups"]]}
    scale = 0.125 if fields["gpu_scale"] else fields["grad_scale"]
    for i in range(STEPS):
        grad = halves(dtype, draw(1000 + 10 * seed + i, LEN))
        if skips and i == NAN_STEP:
            grad[10] = np.inf
        bad = skips and not np.isfinite(grad).all()
        skipped += bad
        inputs["grad"] = grad / scale if scale != 1.0 else grad
        if fields["gpu_scale"]:
            inputs["scale"] = np.array([scale])
        # A skipped step is no step: the frameworks' counters stand still, and so does the caller's.
        if "rounding" in fields:
            rule.fields = fields | {"rounding": {"stochastic": fields["rounding"]["stochastic"] | {"step": i}}}
            written = written | {"rounding": rule.fields["rounding"]}
        weight = rule.step(grad)
        out = {"weight": halves(dtype, weight)}
        if master:
            out["master"] = weight
        if ema:
            if "warmup" in ema:
                written = written | {"ema": ema | {"warmup": {"tensorflow": {"updates": i}}}}
            decay = min(ema["decay"], (1 + i) / (10 + i)) if "warmup" in ema else ema["decay"]
            for at, _ in parts(fields):
                arena["ema"][at] = stored(rule.averaged(arena["ema"], decay))[at]
            out["ema"] = arena["ema"].copy()
        for name in names:
            values = arena[name]
            for (at, _), v in zip(parts(fields), rule.state(name)):
                values[at] = v
            out[name] = values.copy()
        if skips:
            out["skipped"] = np.array([skipped], np.uint32)
        if counts:
            out["steps"] = np.array([rule.counted()], np.uint32)
            assert out["steps"][0] == taken + (not bad), "a framework's counter moves by steps that are made"
        steps.append((written | ({"step": 1 if counts else taken + 1} if numbered else {}), inputs, out))
        taken += not bad
        inputs = {}
    return steps


def add(file, name, oracles, runs):
    for oracle, steps in zip(oracles, runs):
        file.add(name, oracle.name, *steps)
    for a, b in zip(*runs) if len(runs) == 2 else ():
        for k in a[2]:
            # Both are rounded to float32 after every step, so a difference of 1e-16 can become an ulp.
            assert np.abs(a[2][k] - b[2][k]).max() <= 4e-7 * (1 + np.abs(a[2][k]).max()), f"{file.op}, {name}: {k}"
