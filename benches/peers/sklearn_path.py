#!/usr/bin/env python3
"""`ridgepole path` beside scikit-learn, for `cargo xtask race --sklearn`: the same tables, strengths and folds, in turn, each in a process
of its own.

Results are checked first: for each model of all rows, the largest violation of the optimality conditions is computed here, in float64, as
a share of the largest strength. Whoever is above 1e-9 (ridgepole) or has another number of strengths gets no time; scikit-learn's own
violation at its default tolerance stands beside its time.

"whole" is the time of the process: start, reading the CSV file, cross-validation, and writing the results. "fit" is the time of the
solver with its cross-validation alone, as each says. The ratio is scikit-learn's time divided by ridgepole's. scikit-learn runs with as
many jobs as there are cores, or with one where that is faster on its small tables (--jobs).

Needs scikit-learn 1.9: python3 -m venv target/peers && target/peers/bin/pip install scikit-learn, then
RIDGEPOLE_PYTHON=target/peers/bin/python cargo xtask race --sklearn
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

LARGEST = 1e-9


def cases():
    """Name: what makes the table, kind of model, options of `ridgepole path`, and what scikit-learn does."""
    return {
        "diabetes 442 x 10": (diabetes, "linear", [], "cv"),
        "wide 20 x 500": (lambda: wide(20, 500), "linear", [], "cv"),
        "wide 60 x 400": (lambda: wide(60, 400), "linear", [], "cv"),
        "breast cancer 569 x 30": (cancer, "logistic", [], "cv"),
        "expression 72 x 7129": (expression, "linear", [], "cv"),
        "tall 10000 x 1000": (tall, "linear", [], "cv"),
        # ridgepole has no path without folds: it solves three sets of rows, scikit-learn one.
        "tall, one path": (tall, "linear", ["--folds", "2"], "path"),
    }


def diabetes():
    from sklearn.datasets import load_diabetes

    return load_diabetes(scaled=False, return_X_y=True)


def cancer():
    from sklearn.datasets import load_breast_cancer

    return load_breast_cancer(return_X_y=True)


def generator():
    import numpy as np

    return np, np.random.default_rng(1)


def wide(rows, features):
    np, r = generator()
    x = r.normal(size=(rows, features))
    return x, x[:, :5] @ [3, -2, 1, 1, -1] + 0.5 * r.normal(size=rows)


def expression():
    """Groups of 20 genes with a correlation of 0.6, as expression data have them."""
    np, r = generator()
    rows, features = 72, 7129
    shared = np.repeat(r.normal(size=(rows, features // 20 + 1)), 20, axis=1)[:, :features]
    x = 0.6**0.5 * shared + 0.4**0.5 * r.normal(size=(rows, features))
    return x, x[:, :200:20] @ r.normal(size=10) + r.normal(size=rows)


def tall():
    np, r = generator()
    x = r.normal(size=(10_000, 1000))
    w = np.where(r.random(1000) < 0.1, r.normal(size=1000), 0)
    return x, x @ w + 10 * r.normal(size=10_000)


def theirs(args):
    """scikit-learn's process: reads the table, the strengths and folds that ridgepole took, fits, and writes what it found."""
    import warnings

    import numpy as np

    warnings.filterwarnings("ignore")
    table = np.loadtxt(args.table, delimiter=",", skiprows=1)
    x, y = table[:, :-1], table[:, -1]
    asked = json.loads(pathlib.Path(args.asked).read_text())
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    strengths, folds = np.array(asked["lambdas"]), np.array(asked["folds"])
    if args.kind == "logistic":
        from sklearn.linear_model import LogisticRegressionCV
        from sklearn.model_selection import PredefinedSplit

        c = 1 / (len(y) * strengths)
        model = LogisticRegressionCV(
            Cs=c, cv=PredefinedSplit(folds), solver="saga", l1_ratios=[1.0], scoring="neg_log_loss", n_jobs=args.jobs,
            max_iter=1000, use_legacy_attributes=False,
        )  # fmt: skip
    elif args.do == "cv":
        from sklearn.linear_model import LassoCV
        from sklearn.model_selection import PredefinedSplit

        model = LassoCV(alphas=strengths, cv=PredefinedSplit(folds), n_jobs=args.jobs)
    else:
        from sklearn.linear_model import lasso_path
    start = time.perf_counter()
    if args.do == "path":
        _, path, _ = lasso_path(x, y - y.mean(), alphas=strengths)
        found = {"coefficients": path.T.tolist(), "intercepts": [y.mean()] * len(strengths)}
    else:
        model.fit(x, y)
        best = model.alpha_ if args.kind == "linear" else float(1 / (len(y) * np.ravel(model.C_)[0]))
        found = {"best": best, "coefficients": [model.coef_.ravel().tolist()], "intercepts": [float(np.ravel(model.intercept_)[0])]}
    found["seconds"] = time.perf_counter() - start
    pathlib.Path(args.out).write_text(json.dumps(found))


def violation(x, y, kind, strength, coef, intercept):
    import numpy as np

    mean = x @ coef + intercept
    if kind == "logistic":
        mean = 1 / (1 + np.exp(-mean))
    pull = -x.T @ (mean - y) / len(y)
    miss = np.where(coef != 0, np.abs(pull - strength * np.sign(coef)), np.maximum(0, np.abs(pull) - strength))
    return max(miss.max(), abs((mean - y).mean()))


def timed(command):
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return time.perf_counter() - start


def race(args):
    import numpy as np
    import sklearn

    print(f"scikit-learn {sklearn.__version__}, {os.cpu_count()} cores; seconds, the median of {args.turns}; violations as shares of the largest λ")
    print(f"{'case':24} {'ours':>8} {'theirs':>8} {'ratio':>7} | {'our fit':>8} {'theirs':>8} {'ratio':>7} | {'our viol.':>9} {'theirs':>9}")
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, (make, kind, options, do) in cases().items():
            if args.filter not in name:
                continue
            x, y = make()
            file, asked, out, other = (folder / n for n in ("table.csv", "asked.json", "out", "theirs.json"))
            head = ",".join(f"x{j}" for j in range(x.shape[1])) + ",y"
            np.savetxt(file, np.column_stack([x, y]), delimiter=",", header=head, comments="", fmt="%.6g")
            table = np.loadtxt(file, delimiter=",", skiprows=1)
            x, y = table[:, :-1], table[:, -1]
            x = (x - x.mean(axis=0)) / x.std(axis=0)
            most = np.abs(x.T @ (y - y.mean())).max() / len(y)
            us = [args.ridgepole, "path", file, "--target", "y", "--model", kind, "--device", args.device, "--out", out, *options]
            them = [sys.executable, __file__, "--table", file, "--asked", asked, "--kind", kind, "--do", do, "--out", other]
            times = {"us": [], "them": []}
            for turn in range(args.turns):
                whole = timed(us)
                found = json.loads((out / "path.json").read_text())
                times["us"].append((whole, found["seconds"]))
                if turn == 0:
                    lambdas = [f["lambda"] for f in found["path"]]
                    asked.write_text(json.dumps({"lambdas": lambdas, "folds": found["folds"]}))
                    scale = np.array([f["standardized"] for f in found["path"]])
                    means = table[:, :-1].mean(axis=0)
                    centre = [f["intercept"] + np.dot(f["coefficients"], means) for f in found["path"]]
                    ours = max(violation(x, y, kind, s, b, c) for s, b, c in zip(lambdas, scale, centre)) / most
                    if ours > LARGEST or len(lambdas) != 100:
                        print(f"{name:24} WRONG: ridgepole violates the conditions by {ours:.1e}")
                        failed = True
                        break
                # One job is faster where starting others costs more than the work.
                for jobs in [args.jobs] if args.jobs else {1, os.cpu_count()}:
                    whole = timed([*them, "--jobs", str(jobs)])
                    answer = json.loads(other.read_text())
                    times["them"].append((jobs, whole, answer["seconds"]))
            else:
                strengths = lambdas if do == "path" else [answer["best"]]
                models = zip(strengths, answer["coefficients"], answer["intercepts"])
                worst = max(violation(x, y, kind, s, np.array(b), c) for s, b, c in models) / most
                median = lambda values: statistics.median(values)
                us = [median([t[i] for t in times["us"]]) for i in (0, 1)]
                by_jobs = [[t for t in times["them"] if t[0] == jobs] for jobs in {t[0] for t in times["them"]}]
                them = [min(median([t[i] for t in some]) for some in by_jobs) for i in (1, 2)]
                print(
                    f"{name:24} {us[0]:8.3f} {them[0]:8.3f} {them[0] / us[0]:7.1f} | {us[1]:8.3f} {them[1]:8.3f} {them[1] / us[1]:7.1f} "
                    f"| {ours:9.1e} {worst:9.1e}",
                    flush=True,
                )
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ridgepole", default="ridgepole", help="the program")
    parser.add_argument("--device", default="cpu", help="what `ridgepole path --device` is")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--jobs", type=int, help="jobs of scikit-learn [default: 1 and as many as cores, the faster of both]")
    parser.add_argument("filter", nargs="?", default="", help="cases whose name has this")
    for hidden in ("--table", "--asked", "--kind", "--do", "--out"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    args = parser.parse_args()
    sys.exit(theirs(args) if args.table else race(args))


main()
