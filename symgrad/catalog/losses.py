"""Losses by name, one row each: arguments with their axes, options, and equations that define them.

`b` stands for all axes that come first: the batch, the batch and time, or nothing. An argument of
rank 0 may stand for any other. What a row defines beside `value` may be named in aux.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Given = frozenset[str]
"""The options that a call sets to something else than their default."""


@dataclass(frozen=True)
class NamedLoss:
    """A row of the table.

    arguments: in order, with their axes: logits[b,a].
    options:   each with its axes and its default; true and false are flags; none: it is not there.
    apart:     options of which a call sets at most one.
    formula:   in one line; all losses are to be minimised.
    equations: the options that are set -> what defines the scalar `value`.
    held:      what is held constant, in words.
    source:    paper and equation.
    """

    name: str
    arguments: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    formula: str
    equations: Callable[[Given], str]
    held: str = ""
    source: str = ""
    apart: tuple[str, ...] = ()


def squared_error(given: Given) -> str:
    """mean (q - y)^2, or half of it."""
    half = "/2" if "half" in given else ""
    return f"value = mean(b: (q[b] - y[b])**2{half})"


def huber(given: Given) -> str:
    """mean of d^2/2 where |d| <= delta, else delta (|d| - delta/2), with d = q - y."""
    return """
    d[b] = q[b] - y[b]
    value = mean(b: where(abs(d[b]) <= delta, d[b]**2/2, delta*(abs(d[b]) - delta/2)))
    """


def softmax_cross_entropy(given: Given) -> str:
    """mean of log sum exp(z) - z_label."""
    return "value = mean(b: logsumexp(a: logits[b,a]) - logits[b,label[b]])"


def binary_cross_entropy(given: Given) -> str:
    """mean of softplus(z) - z y: finite at any logit."""
    return "value = mean(b: softplus(logit[b]) - logit[b]*target[b])"


def reinforce(given: Given) -> str:
    """-mean log pi(action) stop(ret - baseline) - entropy mean H(pi)."""
    weight = "stop(ret[b] - baseline[b])" if "baseline" in given else "stop(ret[b])"
    if "entropy" not in given:
        return f"""
        logp[b] = logits[b,action[b]] - logsumexp(a: logits[b,a])
        value = -mean(b: logp[b]*{weight})
        """
    return f"""
    lse[b] = logsumexp(a: logits[b,a])
    logp[b] = logits[b,action[b]] - lse[b]
    H[b] = -sum(a: expdiff(logits[b,a], lse[b])*(logits[b,a] - lse[b]))
    value = -mean(b: logp[b]*{weight}) - entropy*mean(b: H[b])
    """


def reward_signed_cross_entropy(given: Given) -> str:
    """mean of R times the cross-entropy that takes the choice that was made as ideal."""
    return """
    p[b] = sigmoid(logit[b])
    C[b] = where(chosen[b], -log(p[b]), -log(1 - p[b]))
    value = mean(b: reward[b]*C[b])
    """


def _temporal_difference(target: str, given: Given, residual: bool) -> str:
    """td = q(a) - target, and the mean of its square, of half of it, or of its Huber function."""
    held = target if residual else f"stop({target})"
    value = "td[b]**2"
    if "huber" in given:
        value = "where(abs(td[b]) <= huber, td[b]**2/2, huber*(abs(td[b]) - huber/2))"
    elif "half" in given:
        value = "td[b]**2/2"
    return f"""
    y[b] = r_t[b] + discount_t[b]*{held}
    td[b] = q_tm1[b,a_tm1[b]] - y[b]
    value = mean(b: {value})
    """


def q_learning(given: Given) -> str:
    """mean (q_tm1(a_tm1) - stop(r_t + discount_t max q_t))^2."""
    return _temporal_difference("max(a: q_t[b,a])", given, residual=False)


def residual_q_learning(given: Given) -> str:
    """mean (q_tm1(a_tm1) - r_t - discount_t max q_t)^2, with nothing held constant."""
    return _temporal_difference("max(a: q_t[b,a])", given, residual=True)


def double_q_learning(given: Given) -> str:
    """As q_learning, with q_t read at the argmax of q_t_selector."""
    chosen = "best[b] = argmax(a: q_t_selector[b,a])"
    return chosen + "\n" + _temporal_difference("q_t[b,best[b]]", given, residual=False)


TD = ("q_tm1[b,a]", "a_tm1[b]", "r_t[b]", "discount_t[b]", "q_t[b,a]")
TD_OPTIONS = (("half", "false"), ("huber", "none"))
TD_APART = ("half", "huber")

ROWS = (
    NamedLoss(
        "squared_error",
        ("q[b]", "y[b]"),
        (("half", "false"),),
        "mean (q - y)^2",
        squared_error,
    ),
    NamedLoss(
        "huber",
        ("q[b]", "y[b]"),
        (("delta", "1"),),
        "mean of d^2/2 if |d| <= delta, else delta (|d| - delta/2); d = q - y",
        huber,
        source="Huber 1964",
    ),
    NamedLoss(
        "softmax_cross_entropy",
        ("logits[b,a]", "label[b]"),
        (),
        "mean (log sum exp z - z_label)",
        softmax_cross_entropy,
    ),
    NamedLoss(
        "binary_cross_entropy",
        ("logit[b]", "target[b]"),
        (),
        "mean (softplus(z) - z y)",
        binary_cross_entropy,
    ),
    NamedLoss(
        "reinforce",
        ("logits[b,a]", "action[b]", "ret[b]"),
        (("baseline[b]", "0"), ("entropy", "0")),
        "-mean log pi(action) stop(ret - baseline) - entropy mean H(pi)",
        reinforce,
        "the return and the baseline",
        "Williams 1992, section 5",
    ),
    NamedLoss(
        "reward_signed_cross_entropy",
        ("logit[b]", "chosen[b]", "reward[b]"),
        (),
        "mean R (-log p if chosen, else -log(1 - p)), p = sigmoid(logit)",
        reward_signed_cross_entropy,
        source="the one-bias lesson; Williams 1992 for one Bernoulli unit",
    ),
    NamedLoss(
        "q_learning",
        TD,
        TD_OPTIONS,
        "mean (q_tm1(a_tm1) - stop(r_t + discount_t max q_t))^2",
        q_learning,
        "the target: a semi-gradient",
        "Watkins 1989; Mnih et al. 2015",
        TD_APART,
    ),
    NamedLoss(
        "residual_q_learning",
        TD,
        TD_OPTIONS,
        "mean (q_tm1(a_tm1) - r_t - discount_t max q_t)^2",
        residual_q_learning,
        "nothing: the residual gradient",
        "Baird 1995",
        TD_APART,
    ),
    NamedLoss(
        "double_q_learning",
        (*TD, "q_t_selector[b,a]"),
        TD_OPTIONS,
        "mean (q_tm1(a_tm1) - stop(r_t + discount_t q_t(argmax q_t_selector)))^2",
        double_q_learning,
        "the target: a semi-gradient",
        "van Hasselt, Guez, Silver 2016, equation 4",
        TD_APART,
    ),
)

LOSSES = {row.name: row for row in ROWS}
