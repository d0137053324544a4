"""Fit the polynomials of src/math.rs and print their coefficients and weighted errors.

usage: fit.py      (needs numpy and mpmath)

Lawson's reweighted least squares on Chebyshev nodes: the weights grow where the error is large, which leads towards the
polynomial with the smallest largest error. The weight of a fit turns its error into a relative error of the function.
"""
import math

import mpmath
import numpy as np

mpmath.mp.dps = 40


def fit(function, weight, low, high, degree, nodes=800, rounds=200):
    x = (low + high) / 2 + (high - low) / 2 * np.cos(np.pi * (np.arange(nodes) + 0.5) / nodes)
    y = np.array([float(function(mpmath.mpf(t))) for t in x])
    w = np.array([weight(t) for t in x])
    basis = np.polynomial.chebyshev.chebvander((2 * x - low - high) / (high - low), degree)
    lawson = np.full(nodes, 1 / nodes)
    best = (math.inf, None)
    for _ in range(rounds):
        scale = np.sqrt(lawson) * w
        coefficients, *_ = np.linalg.lstsq(basis * scale[:, None], y * scale, rcond=None)
        error = np.abs(basis @ coefficients - y) * w
        best = min(best, (error.max(), tuple(coefficients)))
        lawson *= error
        lawson /= lawson.sum()
    series = np.polynomial.Chebyshev(best[1], domain=[low, high])
    return best[0], series.convert(kind=np.polynomial.Polynomial, domain=[-1, 1]).coef


def show(name, fitted):
    error, coefficients = fitted
    print(f"{name}: largest relative error {error:.2g}")
    for coefficient in coefficients:
        print(f"    {np.float32(coefficient)!s}")


half = math.log(2) / 2 * 1.0001
show("exp: P of 1 + r + r^2 P(r), |r| <= ln 2 / 2", fit(
    lambda r: (mpmath.exp(r) - 1 - r) / r**2, lambda r: r * r / math.exp(r), -half, half, 4))
show("tanh: P of x + x^3 P(x^2), x <= 0.64", fit(
    lambda s: (mpmath.tanh(mpmath.sqrt(s)) - mpmath.sqrt(s)) / mpmath.sqrt(s) ** 3,
    lambda s: s * math.sqrt(s) / math.tanh(math.sqrt(s)), 1e-12, 0.64**2, 4))
show("erf: P of x + x P(x^2), x <= 0.925", fit(
    lambda s: mpmath.erf(mpmath.sqrt(s)) / mpmath.sqrt(s) - 1,
    lambda s: math.sqrt(s) / math.erf(math.sqrt(s)), 1e-12, 0.925**2, 5))
show("erf: Q of 1 - e^Q(x), 0.92 <= x <= 4", fit(
    lambda a: mpmath.log(mpmath.erfc(a)), lambda a: math.erfc(a) / math.erf(a), 0.92, 4.0, 6))
