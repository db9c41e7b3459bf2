"""SGD and AdamW, as `optimizers` asks them."""

import numpy as np

from optimizers import NONE, Optax, Torch, add, base, group, half, run
from oracle import File, agree, stored


def sgd(groups=None, **changes):
    momentum = {"momentum": 0.0, "dampening": 0.0, "nesterov": False}
    return base(groups or [group(), group()], **(momentum | changes))


def adamw(groups=None, **changes):
    return base(groups or [group(), group()], **({"beta1": 0.9, "beta2": 0.999, "eps": 1e-8} | changes))


def cases():
    """(name, op, fields, oracles). Dampening is PyTorch's alone, decoupled decay of SGD optax's alone."""
    both = (Torch, Optax)
    decayed = [group(decay=0.1), group(lr_scale=0.5)]
    yield "sgd", "plain", sgd(), both
    yield "sgd", "momentum 0.9", sgd(momentum=0.9), both
    yield "sgd", "momentum 0.9, dampening 0.3", sgd(momentum=0.9, dampening=0.3), (Torch,)
    yield "sgd", "Nesterov", sgd(momentum=0.9, nesterov=True), both
    coupled = [group(coupled=half(0.1)), group(lr_scale=2.0)]
    yield "sgd", "coupled weight decay, Nesterov, two groups", sgd(coupled, momentum=0.8, nesterov=True), both
    lasso = [group(coupled={**NONE, "l1": 0.02}), group(coupled={**half(0.1), "l1": 0.01})]
    yield "sgd", "coupled L1 and elastic net", sgd(lasso, momentum=0.9), both
    yield "sgd", "decoupled decay (SGDW), times lr", sgd(decayed, momentum=0.9), (Optax,)
    own = [group(decay=0.01, decay_mode="independent"), group()]
    yield "sgd", "decoupled decay (SGDW), not times lr", sgd(own, momentum=0.9), (Optax,)
    prox = [group(prox={**NONE, "l1": 1.0}), group(prox={"l1": 0.5, "l2": 0.7, "l2_form": "half"}, lr_scale=0.5)]
    yield "sgd", "proximal L1 and elastic net after the step", sgd(prox, momentum=0.9), both
    yield "sgd", "gradient scale 1/8 from the GPU", sgd(momentum=0.9, gpu_scale=True), both
    yield "sgd", "non-finite gradient skipped (GradScaler, apply_if_finite)", sgd(momentum=0.9, non_finite="skip"), both

    yield "adamw", "AdamW", adamw([group(decay=0.01)] * 2), both
    yield "adamw", "Adam, other betas and eps", adamw(beta1=0.8, beta2=0.99, eps=1e-3), both
    yield "adamw", "AdamW, two groups", adamw(decayed), both
    yield "adamw", "decay not times lr", adamw(own), both
    yield "adamw", "Adam with coupled L2 (torch.optim.Adam's weight_decay)", adamw(coupled), both
    yield "adamw", "coupled L1", adamw([group(coupled={**NONE, "l1": 0.02}), group()]), both
    yield "adamw", "proximal L1 and elastic net after the step", adamw(prox), both
    yield "adamw", "gradient scale 1/8", adamw([group(decay=0.01)] * 2, grad_scale=0.125), both
    yield "adamw", "non-finite gradient skipped", adamw([group(decay=0.01)] * 2, non_finite="skip"), both

    # Averages of what is stored; PyTorch's average begins as a copy.
    yield "sgd", "EMA of the weights, Nesterov", sgd(momentum=0.9, nesterov=True, ema={"decay": 0.9}), both
    key = {"seed": 0x0123456789ABCDEF, "stream": 3}
    random = sgd(prox, dtype="bf16", momentum=0.9, ema={"decay": 0.75}, rounding={"stochastic": key})
    yield "sgd", "bf16 rounded at random by Philox, EMA", random, both
    flow = {"decay": 0.9, "warmup": {"tensorflow": {"updates": 0}}}
    yield "adamw", "f16 with f32 masters, EMA with TensorFlow's warm-up", adamw(prox, dtype="f16", master=True, ema=flow), both

    yield "adamw", "AMSGrad, beta2 0.5", adamw([group(decay=0.1)] * 2, beta2=0.5, amsgrad=True), (Torch,)
    inside = {"eps": 1e-2, "eps_place": "inside_root"}
    yield "adamw", "eps inside the root (optax's eps_root)", adamw([group(decay=0.01)] * 2, **inside), (Optax,)
    counted = adamw([group(decay=0.01)] * 2, non_finite="skip", gpu_step=True)
    yield "adamw", "a counter on the GPU, a step skipped (GradScaler, apply_if_finite)", counted, both


def states(op, fields):
    if op == "adamw":
        return ["m", "v"] + ["v_max"] * fields.get("amsgrad", False)
    return ["momentum_buffer"] if fields["momentum"] > 0 else []


def files():
    out = {"sgd": File("sgd"), "adamw": File("adamw")}
    for i, (op, name, fields, oracles) in enumerate(cases()):
        add(out[op], name, oracles, [run(oracle, op, fields, 300 + i, states(op, fields)) for oracle in oracles])
    agree("rounding", stored([0.1]), np.float32(0.1))
    return list(out.values())
