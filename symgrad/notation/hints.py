"""How what people write elsewhere is written here: words, and what to write instead.

A table maps words, several in one key, to what is said of them. What stands between backticks
parses: a test walks the tables.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

Table = Mapping[str, str]

CALLS: Table = {
    "softmax": "write `exp(q[b,a] - logsumexp(v: q[b,v]))`",
    "log_softmax logsoftmax": "write `q[b,a] - logsumexp(v: q[b,v])`",
    "mae l1_loss mean_absolute_error": "write `mean(b: abs(x[b] - y[b]))`",
    "log_sigmoid logsigmoid": "write `-softplus(-x)`",
    "logit": "write `log(x) - log(1 - x)`",
    "logistic expit": "write `sigmoid(x)`",
    "relu6": "write `clip(x, 0, 6)`, with bounds of your own",
    "celu": "write `elu(x)`",
    "swish": "write `silu(x)`",
    "lrelu leakyrelu prelu": "write `leaky_relu(x, 0.01)`",
    "heaviside step indicator": "write a mask, `[0 < x]`",
    "pow square": "write `x**2`",
    "e": "write `exp(x)`",
    "ln": "the natural logarithm is `log(x)`",
    "log2 log10": "to base 2 it is `log(x)/log(2)`",
    "logaddexp": "write `y + softplus(x - y)`",
    "rsqrt": "write `1/sqrt(x)`",
    "reciprocal inv": "write `1/x`",
    "tan": "write `sin(x)/cos(x)`",
    "atan": "write `arctan(x)`",
    "fabs absolute": "write `abs(x)`",
    "clamp": "write `clip(x, 0, 1)`",
    "norm l2": "write `sqrt(sum(i: w[i]**2))`",
    "dot inner vdot": "write `sum(i: w[i]*x[b,i])`",
    "matmul mm bmm mv einsum linear dense": "write `sum(j: W[i,j]*x[b,j])`",
    "outer": "name two axes on the left, `h[i,j] = u[i]*w[j]`",
    "transpose t": "a transpose swaps subscripts, `W[j,i]`",
    "reshape view flatten squeeze unsqueeze expand": "subscripts name the axes, `x[b,i]`",
    "cat concat concatenate stack": "write to two ranges: `h[i] = x[i]` and `h[i+4] = y[i]`",
    "one_hot onehot": "a mask is `[a == act[b]]`; to choose, read there: `q[b,act[b]]`",
    "gather take take_along_axis select": "read there: `q[b,act[b]]`",
    "detach stop_gradient stop_grad stopgrad no_grad sg": "write `stop(x)`",
    "E avg average expectation reduce_mean": "write `mean(b: x[b])`",
    "total reduce_sum": "write `sum(i: x[i])`",
    "var variance std": "with `m = mean(b: x[b])` it is `mean(b: (x[b] - m)**2)`; std is its root",
    "prod product": "of positive factors it is `exp(sum(i: log(x[i])))`",
    "cumsum": "write a recurrence: `h[0] = 0` and `h[t+1] = h[t] + r[t]`",
    "amax reduce_max": "write `max(v: q[b,v])`",
    "amin reduce_min": "write `min(v: q[b,v])`",
    "lse log_sum_exp": "write `logsumexp(v: q[b,v])`",
    "cond ifelse piecewise": "write `where(x > 0, x, y)`",
    "shape size len numel": "a size of [sizes] stands as a number, `B`",
    "zeros zeros_like": "write `0`",
    "ones ones_like": "write `1`",
    "float int bool real astype": "nothing is converted; a bool counts as 1 or 0",
}
"""Functions that the notation does not have."""

SOUGHT: Table = {
    "cross_entropy crossentropy nll nll_loss softmax_cross_entropy_with_logits ce": (
        "of logits and labels it is `softmax_cross_entropy(q, act)`"
    ),
    "label_smoothing": "write `softmax_cross_entropy(q, act, smoothing=0.1)`",
    "bce bce_with_logits binary_cross_entropy_with_logits binary_crossentropy": (
        "of logits it is `binary_cross_entropy(x, y)`"
    ),
    "mse mse_loss mean_squared_error": "write `squared_error(x, y)`",
    "l2_loss": "write `squared_error(x, y, half=true)`",
    "huber_loss smooth_l1 smooth_l1_loss": "write `huber(x, y)`",
    "dqn dqn_loss td_loss td_error": "write `q_learning(q, act, r, gamma, next_q)`",
    "ddqn double_dqn double_dqn_loss": (
        "write `double_q_learning(q, act, r, gamma, target_q, next_q)`"
    ),
    "dueling dueling_dqn": "a head is an equation: `q[b,a] = v[b,0] + g[b,a] - mean(k: g[b,k])`",
    "categorical_dqn distributional_dqn": "write `c51(logits, act, target)`",
    "qr_dqn qrdqn quantile_regression": "write `quantile_huber(theta, tau, target)`",
    "residual_gradient bellman_residual": (
        "write `residual_q_learning(q, act, r, gamma, next_q)` or `residual_td_learning`"
    ),
    "td td0 td_zero": "write `td_learning(v, r, gamma, next_v)`",
    "n_step_td n_step n_step_return": (
        "write `squared_error(v, g, half=true)`, g from symgrad.returns.n_step_returns"
    ),
    "td_lambda lambda_return lambda_returns": (
        "write `squared_error(v, g, half=true)`, g from symgrad.returns.lambda_returns"
    ),
    "q_lambda watkins_q_lambda peng_q_lambda sarsa_lambda": (
        "write `squared_error(q_a, g, half=true)`, g from symgrad.returns.lambda_returns"
    ),
    "gae generalised_advantage generalized_advantage": "advantages are data: symgrad.returns.gae",
    "policy_gradient policy_gradient_loss pg_loss vpg": (
        "write `reinforce(logits, act, advantage)`; of other policies `-mean(b: logp[b]*adv[b])`"
    ),
    "ppo ppo_loss clipped_surrogate": (
        "write `ppo_clip(logp, old_logp, adv)`; its critic's loss is `ppo_value(v, v_old, ret)`"
    ),
    "trpo npg natural_gradient": (
        "write `surrogate(logp, old_logp, adv)`; the divergence is `categorical_kl(old, q)[b]`"
    ),
    "a3c actor_critic advantage_actor_critic": "write `a2c(logits, act, ret, v)`",
    "ddpg dpg ddpg_actor td3_actor": (
        "write `deterministic_policy(q)`, q the critic at the actor's own action"
    ),
    "td3": "write `deterministic_policy(q)` and `td3_critic(q, r, gamma, next_q_1, next_q_2)`",
    "ddpg_critic": (
        "write `td_learning(q, r, gamma, next_q, whole=true)`, next_q at the target's action"
    ),
    "sac soft_actor_critic": "its losses are sac_actor, sac_critic and sac_temperature",
    "awr awac": "write `advantage_weighted(logp, adv)`",
    "iql": "write `expectile(q, v)` and `advantage_weighted(logp, adv)`",
    "behaviour_cloning behavior_cloning behavioral_cloning bc imitation": (
        "write `softmax_cross_entropy(q, act)`, `squared_error(mu, act)` or gaussian_nll"
    ),
    "kl kl_div kl_divergence": "of logits it is `categorical_kl(p, q)[b]`, of Gaussians normal_kl",
    "gaussian_nll_loss normal_nll": "write `gaussian_nll(mu, log_std, x)`",
    "entropy_loss entropy_regularisation entropy_regularization": "write `entropy_bonus(logits)`",
    "entropy": "of logits it is `categorical_entropy(q)[b]`, of Gaussians normal_entropy",
}
"""Losses and algorithms that the catalogue has by another name, or as a sum of its own."""

NAMES: Table = {
    "pi": "the circle constant is `PI`",
    "tau": "write `2*PI`",
    "e euler": "write `exp(1)`, or `exp(x)` for its power",
    "infinity infty oo": "write `inf`",
    "nan none null": "every value is a number",
    "true false": "a condition is `done[b]` or `not done[b]` itself; numbers are 1 and 0",
    "eps epsilon": "write a number such as `1e-8`, or declare it in [data]",
}
"""Bare names that mean something elsewhere."""

WORDS: Table = {
    "= +=": "equality in a condition is ==",
    "if else elif then": "a choice is `where(x > 0, x, y)`",
    "in": "an index is bound as in `sum(i: x[i])`; its range comes from what it reads",
    "for": "for ends an equation, outside all brackets; an index stands in front: `sum(i: x[i])`",
    "//": "a comment begins with #",
    ":": "there are no slices; an index runs over an axis, as in `sum(i: x[b,i])`",
    "AND And": "write and",
    "OR Or": "write or",
    "NOT Not": "write not",
    "is": "equality is ==",
}
"""Tokens that came where nothing of their kind fits."""

EQUALS: Table = {
    "==": "an equation has one =",
    ":": "an equation has a plain =",
    "-": "to subtract, add the negative: `h += -x`",
    "* /": "only += adds to a tensor; give the result a name of its own",
    "(": "the axes of a tensor stand in [ ], `h[b] = x[b]`",
}
"""What came where the equals sign of an equation was expected."""

STARTS: Table = {
    "for while": "there are no loops: y[b] = ... holds for every b",
    "if": "a choice is `where(x > 0, x, y)`",
    "let def var return assert import": "an equation is a name, = and an expression",
}
"""Words that begin a line elsewhere."""

SIGNS: Table = {
    "&": "write and",
    "|": "between conditions write or; a magnitude is `abs(x)`",
    "! ~": "write not, or !=",
    "@": "write a product with a sum: `sum(j: W[i,j]*x[b,j])`",
    "{ }": "group with ( )",
    "%": "there is no remainder and no percent; a comment begins with #",
    ";": "one equation stands on one line; an index is bound with a colon, `mean(b: x[b])`",
    "?": "a choice is `where(x > 0, x, y)`",
    "\\": "this is no LaTeX; names are plain, `sum(i: x[i])`",
    "' \"": "equations hold no texts; a prime follows the name of a declared function",
}
"""ASCII characters that no token begins with."""

GLYPHS: Table = {
    "\u2212 \u2010 \u2011 \u2013 \u2014": "write -",
    "\u00d7 \u00b7 \u22c5 \u2217 \u2219": "write *",
    "\u00f7 \u2215": "write /",
    "\u2264": "write <=",
    "\u2265": "write >=",
    "\u2260": "write !=",
    "\u2227": "write and",
    "\u2228": "write or",
    "\u00ac": "write not",
    "\u2190 \u2254": "write =",
    "\u00b2": "write `x**2`",
    "\u00b3": "write `x**3`",
    "\u221a": "write `sqrt(x)`",
    "\u2211 \u03a3": "write `sum(i: x[i])`",
    "\u220f \u03a0": "of positive factors it is `exp(sum(i: log(x[i])))`",
    "\u221e": "write `inf`",
    "\u03c0": "the circle constant is `PI`; a policy is spelt out",
    "\u03bb": "spell it lam, since lambda is a Python keyword",
    "\u2202 \u2207 \u2206": "derivatives are found, not written; write the loss alone",
    "\u1d40 \u22a4": "a transpose swaps subscripts, `W[j,i]`",
    "\u2208": "an index is bound as in `sum(i: x[i])`",
    "\u2016": "write `sqrt(sum(i: w[i]**2))`",
}
"""Characters that are not ASCII."""

SECTIONS: Table = {
    "parameters param weights variables trainable": "what is learned is declared in [params]",
    "inputs input batch constants hyperparameters scalars": "inputs are declared in [data]",
    "dims dimensions shapes": "sizes are declared in [sizes]",
    "function": "undefined functions are declared in [functions]",
}
"""Keys that the head of a spec does not have."""

MEMBERS = (
    ("networks", ("layers", "input", "copy_of")),
    ("losses", ("equations", "loss", "wrt")),
)
"""What the sections of each kind hold, and no other section does."""

FORMS: Table = {
    "equations": 'between two lines of """, one equation a line',
    "outputs aux wrt require": 'as in {} = ["W", "c"]',
    "with": 'as in with = ["hvp"]',
    "layers": 'as in {} = ["dense 64 tanh", "dense 2"]',
    "functions": "its number of arguments, as in sigma = 1",
    "loss": 'as in loss = "squared_error(q, y)"; several are sections [losses.NAME]',
    "losses": "a section [losses.NAME] with equations of its own",
}
"""How the value of a key is written."""

KINDS: Table = {
    "float double float32 float64 number scalar tensor array vector matrix": "write real",
    "integer long int32 int64 index action": "write int",
    "boolean mask done": "write bool",
    "init": "the kind comes first: real[B, 4] init=zeros",
}
"""Kinds that a type does not have."""

INITS: Table = {
    "xavier xavier_uniform glorot": "write glorot_uniform",
    "kaiming kaiming_normal he": "write he_normal",
    "lecun": "write lecun_uniform",
    "default pytorch": "write uniform_fan_in, which is the default",
    "ones one": "write constant(1)",
    "randn gaussian": "write normal(1) for a deviation of 1",
}
"""Initialisations of other names."""

TYPES: Table = {
    "(": "axes stand in [ ]",
    "<=": "an upper bound is not reached: < 2 is 0 or 1",
    ">=": "a lower bound is not reached either: > 0",
    "[": "all axes stand in one pair of brackets",
    ",": "what follows the kind stands after a space",
}
"""What goes on where a type ends."""

MODULES = ("np", "numpy", "jnp", "jax", "torch", "tf", "math", "nn", "F", "functional", "lax")
REDUCING = ("sum", "mean", "max", "min", "argmax", "argmin", "logsumexp")


def call(name: str) -> str:
    """`; write ...` for a function that the notation does not have; "" where nothing is known."""
    return _found({**CALLS, **SOUGHT}, name) or _found({**CALLS, **SOUGHT}, name.lower())


def bare_name(name: str) -> str:
    return _found(NAMES, name.lower())


def stray_word(text: str) -> str:
    return _found(WORDS, text)


def no_equals(text: str, first: str) -> str:
    """Where a line begins with `first`, and `text` stands where its equals sign should."""
    return _found(STARTS, first) or _found(EQUALS, text)


def section(key: str) -> str:
    return _found(SECTIONS, key.lower())


def misplaced(key: str, value: object, known: bool) -> str:
    """What is said of a network or a loss under another head: [loss.actor], [actor], [losses]."""
    near = not known or any(section.startswith(key) for section, _ in MEMBERS)
    if not near or not isinstance(value, Mapping):
        return ""
    for section, members in MEMBERS:
        if any(isinstance(value.get(member), str | list) for member in members):
            if key == section:
                return f"[{section}] holds sections: write [{section}.NAME]"
            name = "NAME" if section.startswith(key) else key
            return f"unknown section [{key}]; write [{section}.{name}]"
        for name, inner in value.items():
            held = isinstance(inner, Mapping) and not inner.keys().isdisjoint(members)
            if held and key != section:
                return f"unknown section [{key}.{name}]; write [{section}.{name}]"
    return ""


def form(path: tuple[str, ...]) -> str:
    """`, as in wrt = ["W", "c"]`: how the value at a path is written."""
    key = path[0] if len(path) == 2 and path[0] in ("losses", "functions") else path[-1]
    return _found(FORMS, key).format(key).replace("; ", ", ", 1)


def kind(word: str) -> str:
    return _found(KINDS, word.lower())


def initialisation(word: str) -> str:
    return _found(INITS, word.lower())


def type_end(text: str) -> str:
    return _found(TYPES, text)


LINES = "; an equation goes on over lines while a bracket is open"


def comment(before: str) -> str:
    """Of what does not fit where this stands before it on its line: a comment in other words."""
    return "; a comment begins with #, and // divides sizes" if "//" in before else ""


def attribute(before: str, after: str) -> str:
    """What `before.after` is here: np.exp, obs.shape, W.T, x.sum."""
    if before in MODULES or after in MODULES:
        return "; functions stand without a module's name, as in `exp(x)`"
    if after in REDUCING:
        return f"; write `{after}(i: x[i])`"
    return call(after) or "; there are no attributes"


def character(found: str) -> str:
    """What is said of a character that no token begins with."""
    if found in "\b\f\v\a\0":
        return "; a backslash begins an escape in TOML, and names are plain: this is no LaTeX"
    if found.isascii():
        return _found(SIGNS, found)
    named = unicodedata.name(found, "")
    plain = unicodedata.normalize("NFKC", found)
    hint = _found(GLYPHS, found)
    if not hint and named.startswith("GREEK ") and " LETTER " in named:
        letter = named.split(" LETTER ")[1].split()[0].lower()
        hint = f"; spell it {letter if ' SMALL ' in named else letter.capitalize()}"
    elif not hint and plain.isascii() and plain:
        hint = f"; write {plain}" if plain.strip() else "; write a plain space"
    title = f" ({named})" if named else ""
    return f"{title} is not ASCII{hint or '; names are ASCII letters, digits and _'}"


def _found(table: Table, word: str) -> str:
    return next((f"; {text}" for words, text in table.items() if word in words.split()), "")
