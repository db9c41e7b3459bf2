"""Makes the golden values in this folder: python -m venv v; v/bin/pip install -r requirements.txt; v/bin/python make.py

Inputs are float32. PyTorch and JAX compute in float64, because their float32 results carry rounding errors of their own
which would have to be allowed for; results are rounded to float32 once, at the end. State that an op keeps between steps
(weights, moments, running statistics) is rounded to float32 after every step, as a float32 buffer would hold it.

Each case holds its name, what computed it (both, if their values are the same to the bit), and steps of {op, inputs, expected} with the arguments by name; what a later
step does not list among its inputs is carried over from the step before. Where both frameworks have the operation, both
computed it, and this script fails if they disagree by more than 1e-12.
"""

import pathlib
import re

import flax
import jax
import optax
import torch

import adaptive
import averaging
import batch_norm_ghost
import batch_norm_gradients
import batch_norm_masked
import batch_norm_ranks
import batch_norms
import branches
import batch_renorm
import dropouts
import mixing
import masks
import losses
import optimizers
import oracle
import penalties
import row_norms
import transforms

HERE = pathlib.Path(__file__).parent


def main():
    pins = dict(re.findall(r"^(\w+)==(\S+)$", (HERE / "requirements.txt").read_text(), re.M))
    for package in (torch, jax, flax, optax):
        have = package.__version__.split("+")[0]
        assert have == pins[package.__name__], f"{package.__name__} {have}: see requirements.txt"
    for module in (penalties, dropouts, batch_norms, batch_norm_gradients, optimizers, adaptive, row_norms, transforms):
    for module in (penalties, dropouts, batch_norms, batch_norm_gradients, optimizers, adaptive, averaging, row_norms):
    for module in (penalties, dropouts, batch_norms, batch_norm_gradients, optimizers, adaptive, row_norms, mixing):
    for module in (penalties, dropouts, masks, batch_norms, batch_norm_gradients, optimizers, adaptive, row_norms):
    for module in (penalties, dropouts, batch_norms, batch_norm_gradients, optimizers, adaptive, row_norms, losses):
    for module in (penalties, dropouts, batch_norms, batch_norm_gradients, optimizers, adaptive, row_norms, losses, branches):
    for module in (
        penalties,
        dropouts,
        batch_norms,
        batch_norm_gradients,
        batch_norm_ranks,
        batch_norm_masked,
        batch_norm_ghost,
        batch_renorm,
        optimizers,
        adaptive,
        row_norms,
    ):
        for file in module.files():
            path = HERE / f"{file.op}.json"
            cases = oracle.write(path, file)
            print(f"{path.name}: {cases} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
