"""Makes the golden values in this folder: python -m venv v; v/bin/pip install -r requirements.txt; v/bin/python make.py [OP...]

Inputs are float32. PyTorch and JAX compute in float64, because their float32 results carry rounding errors of their own
which would have to be allowed for; results are rounded to float32 once, at the end. State that an op keeps between steps
(weights, moments, running statistics) is rounded to float32 after every step, as a float32 buffer would hold it.

Each case holds its name, what computed it (both, if their values are the same to the bit), and steps of {op, inputs, expected}
with the arguments by name; what a later step does not list among its inputs is carried over from the step before. Where both
frameworks have the operation, both computed it, and this script fails if they disagree by more than 1e-12.
"""

import importlib
import pathlib
import re
import sys

import flax
import jax
import optax
import torch

import oracle

HERE = pathlib.Path(__file__).parent


def main():
    pins = dict(re.findall(r"^(\w+)==(\S+)$", (HERE / "requirements.txt").read_text(), re.M))
    for package in (torch, jax, flax, optax):
        have = package.__version__.split("+")[0]
        assert have == pins[package.__name__], f"{package.__name__} {have}: see requirements.txt"
    # Every script beside this one that says which files it makes; with arguments, only those that make one of these ops.
    wanted = set(sys.argv[1:])
    for script in sorted(HERE.glob("*.py")):
        if script.stem in ("make", "oracle"):
            continue
        made = importlib.import_module(script.stem)
        if not hasattr(made, "files") or wanted and not any(op in script.read_text() for op in wanted):
            continue
        for file in made.files():
            if wanted and file.op not in wanted:
                continue
            path = HERE / f"{file.op}.json"
            cases = oracle.write(path, file)
            print(f"{path.name}: {cases} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
