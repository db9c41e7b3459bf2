"""Adam by its own name, Adamax, NAdam, Lion, RMSprop and Adagrad: as `optimizers` asks them."""

import optax
import torch

import optimizers
from oracle import File
from optimizers import NONE, base, group, half


class Torch(optimizers.Torch):
    """torch.optim; the base class gives each parameter its coupled L2 as weight_decay."""

    def make(self, op, fields, groups):
        betas = {"betas": (fields["beta1"], fields["beta2"])} if "beta1" in fields else {}
        if op == "nadam":
            for entry, (_, g) in zip(groups, optimizers.parts(fields)):
                if g["decay"]:
                    assert g["coupled"]["l2"] == 0, "NAdam's decay is either"
                    entry |= {"weight_decay": g["decay"], "decoupled_weight_decay": True}
            more = {k: fields[k] for k in ("eps", "momentum_decay")}
            return torch.optim.NAdam(groups, **betas, **more)
        assert not any(g["decay"] for g in fields["groups"]), f"{op} of PyTorch has no decoupled decay"
        if op == "adamax":
            return torch.optim.Adamax(groups, **betas, eps=fields["eps"])
        if op == "rmsprop":
            assert fields["eps_place"] == "outside_root", "PyTorch adds eps to the root"
            assert "nesterov" not in fields, "RMSprop of PyTorch does not look ahead"
            return torch.optim.RMSprop(groups, **{k: fields[k] for k in ("alpha", "eps", "momentum", "centered")})
        if op == "adagrad":
            assert fields["eps_place"] == "outside_root", "PyTorch adds eps to the root"
            more = {k: fields[k] for k in ("eps", "lr_decay")}
            return torch.optim.Adagrad(groups, initial_accumulator_value=START[op], **more)
        assert "eps_place" not in fields, "PyTorch adds eps to the root"
        return torch.optim.Adam(groups, **betas, eps=fields["eps"], amsgrad=fields["amsgrad"])


class Optax(optimizers.Optax):
    """optax's direction, between the coupled penalty before it and decay and rate behind."""

    def direction(self, op, fields):
        if op == "adamax":
            return optax.scale_by_adamax(fields["beta1"], fields["beta2"], fields["eps"])
        if op == "lion":
            return optax.scale_by_lion(fields["beta1"], fields["beta2"])
        if op == "rmsprop":
            # optax.rmsprop itself multiplies by the rate before the momentum, which is the same at a constant rate.
            rule = optax.scale_by_stddev if fields["centered"] else optax.scale_by_rms
            inside = fields["eps_place"] == "inside_root"
            rule = rule(fields["alpha"], fields["eps"], eps_in_sqrt=inside)
            look = fields.get("nesterov", False)
            return optax.chain(rule, optax.trace(fields["momentum"], look)) if fields["momentum"] else rule
        if op == "adagrad":
            assert fields["eps_place"] == "inside_root" or fields["eps"] == 0, "optax adds eps to the sum"
            return optax.scale_by_rss(START[op], fields["eps"])
        return optax.scale_by_adam(fields["beta1"], fields["beta2"], **optimizers.moments_eps(fields))


# The buffers of each op's state.
STATES = {
    "adam": lambda f: ["m", "v"] + ["v_max"] * f["amsgrad"],
    "adamax": lambda f: ["m", "u"],
    "nadam": lambda f: ["m", "v"],
    "adagrad": lambda f: ["sum"],
    "lion": lambda f: ["m"],
    "rmsprop": lambda f: ["square_avg"] + ["grad_avg"] * f["centered"] + ["momentum_buffer"] * (f["momentum"] > 0),
}
# What a state holds before the first step, if not zeros; float32 has it.
START = {"adagrad": 0.125}
# Ops whose steps have no number.
UNNUMBERED = ("lion", "rmsprop")


def adam(groups=None, **changes):
    return base(groups or [group(), group()], **({"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "amsgrad": False} | changes))


def adamax(groups=None, **changes):
    return base(groups or [group(), group()], **({"beta1": 0.9, "beta2": 0.999, "eps": 1e-8} | changes))


def nadam(groups=None, **changes):
    return adamax(groups, **({"momentum_decay": 0.004} | changes))


def lion(groups=None, **changes):
    return base(groups or [group(), group()], **({"beta1": 0.9, "beta2": 0.99} | changes))


def rmsprop(groups=None, **changes):
    rule = {"alpha": 0.99, "eps": 1e-8, "eps_place": "outside_root", "centered": False, "momentum": 0.0}
    return base(groups or [group(), group()], **(rule | changes))


def adagrad(groups=None, **changes):
    return base(groups or [group(), group()], **({"lr_decay": 0.0, "eps": 1e-10, "eps_place": "outside_root"} | changes))


def cases():
    """(name, op, fields, oracles)."""
    both = (Torch, Optax)
    coupled = [group(coupled=half(0.1)), group(coupled={**half(0.2), "l1": 0.02}, lr_scale=2.0)]
    prox = [group(prox={**NONE, "l1": 1.0}), group(prox={"l1": 0.5, "l2": 0.7, "l2_form": "half"}, lr_scale=0.5)]
    yield "adam", "plain", adam(), both
    yield "adam", "coupled L2 (weight_decay) and elastic net, other betas and eps", adam(
        coupled, beta1=0.8, beta2=0.99, eps=1e-3
    ), both
    yield "adam", "proximal L1 and elastic net after the step, scale from the GPU", adam(prox, gpu_scale=True), both
    yield "adam", "AMSGrad, beta2 0.5", adam(coupled, beta2=0.5, amsgrad=True), (Torch,)
    yield "adam", "non-finite gradient skipped", adam(coupled, non_finite="skip"), both

    # Neither torch.optim nor optax has FTRL: no values, which tests/it/golden.rs knows by name. tests/it/optimizers/ftrl.rs tries its reference.
    assert not hasattr(torch.optim, "FTRL") and not any("ftrl" in name.lower() for name in dir(optax))
    # torch.optim has no Lion: optax alone.
    assert not hasattr(torch.optim, "Lion")
    decayed = [group(decay=0.1), group(coupled={**half(0.2), "l1": 0.02}, lr_scale=0.5)]
    yield "lion", "plain", lion(), (Optax,)
    yield "lion", "decoupled decay, coupled elastic net, other betas", lion(decayed, beta1=0.8, beta2=0.5), (Optax,)
    yield "lion", "proximal L1 and elastic net after the step, scale from the GPU", lion(prox, gpu_scale=True), (Optax,)
    yield "lion", "non-finite gradient skipped", lion(decayed, non_finite="skip"), (Optax,)

    yield "rmsprop", "plain, coupled L2 and elastic net", rmsprop(coupled), both
    yield "rmsprop", "centered, alpha 0.9, eps 1e-3", rmsprop(alpha=0.9, eps=1e-3, centered=True), both
    yield "rmsprop", "centered, momentum 0.9, skipped step", rmsprop(
        alpha=0.9, eps=1e-3, centered=True, momentum=0.9, non_finite="skip"
    ), both
    inside = rmsprop(prox, alpha=0.5, eps=1e-2, eps_place="inside_root", momentum=0.5, gpu_scale=True)
    yield "rmsprop", "eps inside the root, momentum, proximal elastic net, scale from the GPU", inside, (Optax,)

    yield "adagrad", "plain, coupled L2 and elastic net", adagrad(coupled), (Torch,)
    yield "adagrad", "eps 0, rate falls", adagrad(coupled, eps=0.0, lr_decay=0.1), both
    yield "adagrad", "eps 1e-2 outside the root, skipped step", adagrad(eps=1e-2, non_finite="skip"), (Torch,)
    inside = adagrad(decayed, eps=1e-2, eps_place="inside_root", gpu_scale=True)
    yield "adagrad", "eps inside the root, decoupled decay, scale from the GPU", inside, (Optax,)

    # Averages, masters and rounding are the same for all: `sgd_adamw` tries more of them.
    key = {"stochastic": {"seed": 0x0123456789ABCDEF, "stream": 5}}
    random = {"dtype": "bf16", "ema": {"decay": 0.75}, "rounding": key}
    kept = {"dtype": "f16", "master": True, "ema": {"decay": 0.9, "warmup": {"tensorflow": {"updates": 0}}}}
    for op, make, oracles in (
        ("adam", adam, both),
        ("lion", lion, (Optax,)),
        ("rmsprop", lambda **f: rmsprop(alpha=0.9, eps=1e-3, momentum=0.5, **f), both),
        ("adagrad", lambda **f: adagrad(coupled, eps=0.0, lr_decay=0.1, **f), both),
    ):
        yield op, "bf16 rounded at random by Philox, EMA", make(**random), oracles
        yield op, "f16 with f32 masters, EMA with TensorFlow's warm-up", make(**kept), oracles

    root = adam(coupled, eps=1e-2, eps_place="inside_root", beta2=0.9)
    yield "adam", "eps inside the root (optax's eps_root)", root, (Optax,)
    yield "adam", "AMSGrad, a counter on the GPU", adam(coupled, beta2=0.5, amsgrad=True, gpu_step=True), (Torch,)
    ahead = {"momentum": 0.9, "nesterov": True}
    yield "rmsprop", "Nesterov, eps inside the root", rmsprop(eps=1e-2, eps_place="inside_root", **ahead), (Optax,)
    yield "rmsprop", "centered, Nesterov", rmsprop(alpha=0.9, eps=1e-3, centered=True, **ahead), (Optax,)

    yield "adamax", "plain", adamax(), both
    yield "adamax", "coupled L2 (weight_decay) and elastic net, other betas, eps 0.25", adamax(
        coupled, beta1=0.8, beta2=0.5, eps=0.25
    ), both
    yield "adamax", "proximal L1 and elastic net after the step, scale from the GPU", adamax(prox, gpu_scale=True), both
    yield "adamax", "non-finite gradient skipped", adamax(coupled, non_finite="skip"), both

    # optax.nadam has no schedule of the momentum.
    decoupled = [group(decay=0.1), group(decay=0.02, lr_scale=0.5)]
    yield "nadam", "plain", nadam(), (Torch,)
    yield "nadam", "coupled L2 (weight_decay) and elastic net, other betas and eps, momentum_decay 1", nadam(
        coupled, beta1=0.8, beta2=0.5, eps=1e-3, momentum_decay=1.0
    ), (Torch,)
    yield "nadam", "decoupled decay, momentum_decay 0.25", nadam(decoupled, momentum_decay=0.25), (Torch,)
    yield "nadam", "proximal L1 and elastic net after the step, scale from the GPU", nadam(prox, gpu_scale=True), (Torch,)
    yield "nadam", "non-finite gradient skipped", nadam(coupled, non_finite="skip"), (Torch,)
    for op, make, oracles in (("adamax", adamax, both), ("nadam", nadam, (Torch,))):
        yield op, "bf16 rounded at random by Philox, EMA", make(**random), oracles
        yield op, "f16 with f32 masters, EMA with TensorFlow's warm-up", make(**kept), oracles


def files():
    out = {op: File(op) for op in STATES}
    for i, (op, name, fields, oracles) in enumerate(cases()):
        how = {"names": STATES[op](fields), "numbered": op not in UNNUMBERED, "start": START.get(op, 0.0)}
        optimizers.add(out[op], name, oracles, [optimizers.run(o, op, fields, 400 + i, **how) for o in oracles])
    return list(out.values())
