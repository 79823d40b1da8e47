"""Bodies of elementwise equations, one row each, and the reads that are put into them.

x and z are reals, f and g bools, n an int below 4, k an int without a bound, i an index.
"""

from __future__ import annotations

# fmt: off
ELEMENTWISE = (
    "tanh({x})", "exp(tanh({x}))", "expm1(tanh({x}))", "log(1 + {x}**2)", "log1p({x}**2)",
    "sqrt(0.5 + {x}**2)", "sin({x})", "cos({x})", "sinh(tanh({x}))", "cosh(tanh({x}))",
    "arctan({x})", "sigmoid({x})", "softplus({x})", "erf({x})", "relu({x})", "abs({x})", "sign({x})*{z}",
    "leaky_relu({x}, 0.1)", "leaky_relu({x}, {z})", "minimum({x}, {z})", "maximum({x}, {z})",
    "clip({x}, -0.5, 0.5)", "clip({x}, -abs({z}), 1)", "power(1 + {x}**2, tanh({z}))",
    "(1 + {x}**2)**sin({z})", "expdiff(tanh({x}), tanh({z}))",
    "{x} + {z}", "{x} - {z}", "2*{x} - {z}/3", "-{x} - {z}", "{x}*(1 - {z})", "{x}*{z} - {z}",
    "-({x} + {z})*{x}", "{x}**3", "{x}**4 + {z}", "{x}**5", "{x}/(1 + {z}**2)", "1/(1 + {x}**2)",
    "(1 + {x}**2)**(-1.5)", "(1 + {x}**2)**0.5*{z}", "{z}/(2 + {x}**2)**2", "-{x}/3", "PI*{x}",
    "{x}*{n}", "{x} + {n}/10", "tanh({n}*{x})*{z}",
    "{x}*H + {z}/K", "{x}/(H*K) - 1", "{x}*({i} + 1)", "{x} + {i}/7",
    "sin({x})*cos({x})", "softplus({x}) - {x}", "tanh({x})*sigmoid({x})", "log(sigmoid({x}))",
    "log(1 - sigmoid({x}))*{z}", "{x}*sigmoid({x})", "exp(-{x}**2)*{z}", "0*{x} + {z}", "{x}*{x}*{z}",
    "(1 - {x})*(1 + {z})*({x} + {z})", "tanh(tanh({x}) + {z})",
)

# Whole numbers and bools as numbers: f is a bool, n an int below 4, k an int without a bound.
WHOLE = (
    "{x}*{f}", "{x}*{n}*{f}", "{x} - {k}/3", "{x}*(1 - {f})", "{f}", "{n}", "{k}/2 + {f}", "{f}*{n}", "{x}/(1 + {n})", "{z}/(1 + {k}**2)",
    "{x}*{n}**2", "(1 + {x}**2)**{f}", "(1 + {x}**2)**({n}/4)", "power(1 + {z}**2, {k}/4)", "minimum({x}, {n})", "maximum({f}, {x})*{z}", "minimum({n}, {k})*{x}",
    "clip({x}, -{f}, {n})", "clip({k}, 0, 2)*{x}", "abs({k})*{x}", "sign({k})*{x}", "relu({k} - {n})*{x}", "leaky_relu({k}, 0.1)*{x}", "sqrt({n})*{x}",
    "log(1 + {n})*{x}", "exp(-{n})*{x}", "tanh({k})*{x}", "sigmoid({f})*{x}", "softplus({k})*{x}", "{x}*stop({k})", "({x} + {n})*({x} - {f})",
    "[{n} < {i}]*{x}", "[{n} == {i}]*{x} + {f}", "[{f}]*{x}", "[{k} < {n}]*{x}", "[{n} == 1]*{k}", "where({n} < {x}, {n}, {x})", "where({k} <= {z}, {x}, {k})",
    "where({f} and {n} != 1, {x}, {z})", "where(not {f} or {k} == {n}, {x}**2, 0)", "where({f} == {g}, {x}, -{x})", "where({f}, {n}, {x})", "where({f}, {k}, {n})*{x}",
    "where({f}, where({g}, {x}, {z}), tanh({x}))", "{x}*{f}*{g}", "{f}*{g} + {n}*{n}", "{k}*{n} - {k}", "sin({k})*cos({n})", "expdiff({n}, {k})*{x}",
)

STOPS = (
    "{x}*stop({x})",
    "stop(tanh({x}))*{z}",
    "tanh({x} - stop({z}))",
    "{x}*stop({x} + {z}) + {x}",
    "stop({x})*{z}**2",
)

SELECTIONS = (
    "where(stop({x}) < {z}, stop({x})*{z}, {x}**2)", "[stop({x}) < {z}]*{x}**2", "stop(where({x} < {z}, {x}, {z}))*{z}", "minimum({x}, stop({z}))*{x}",
    "maximum({x}, {x}**2)", "minimum(abs({x}), abs({z}))", "clip({x}, {z}, {z} + 0.5)", "where({x} == {z}, {x}**2, {z}**3)", "relu({x} - {x}*{z})",
    "sign({x} - {z})*{x} + abs({x} - {z})", "leaky_relu({x}*{z}, stop({z}))", "maximum(minimum({x}, {z}), -{z})", "where(stop({x} - {z}) <= 0, exp({x}), {z})",
    "where({x} > 0, log(where({x} > 0, {x}, 1)), {z})", "where({x} > 0.1, sqrt({x}) + 1/{x}, {z})", "stop(relu({x}))*relu({z})", "where({f}, stop({x}), {x})*{z}",
    "where({x} < {z}, {x}*{z}, -{x})", "where({f}, {x}, 0)", "where(not {f} and {x} < 0.3, {z}, {x}**2)",
    "where({x} >= 0 or {f}, tanh({x}), {z})", "[{x} < {z}]*{x}", "[{x} != 0.5]*{x}*{z}", "{f}*{x} + {z}",
    "where({z} > 0, 0, {x})", "where({x} < 0.2, {z}, 1)", "where({f}, {z}, {x})*{x}", "where({i} < 1, {x}, {z})",
    "where({i} <= {n}, tanh({x}), {z}) + where({f}, {i}, {x})",
)
# fmt: on
