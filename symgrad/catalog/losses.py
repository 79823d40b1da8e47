"""Losses by name, one row each: arguments with their axes, options, and equations that define them.

`b` stands for all axes that come first: the batch, the batch and time, or nothing. A row defines
`each[b]`; the loss is its mean, or what REDUCTION makes of it. An argument of rank 0 may stand for
any other without an axis of its own; axes with one letter have one size. What a row defines beside
`each` may be named in aux.
"""

from __future__ import annotations

from symgrad.catalog.formula import P_LOG_P, Given, NamedLoss, Option
from symgrad.catalog.policy_losses import POLICY
from symgrad.catalog.value_losses import HALF, VALUE


def squared_error(given: Given) -> str:
    """mean (q - y)^2, or half of it."""
    half = "/2" if "half" in given else ""
    return f"each[b] = (q[b] - y[b])**2{half}"


def softmax_cross_entropy(given: Given) -> str:
    """mean (lse - z(label)); with smoothing s, (1 - s) of it and s mean over a of lse - z(a)."""
    lse, label = "lse[b] = logsumexp(a: logits[b,a])", "lse[b] - logits[b,label[b]]"
    weighted = "class_weight" in given
    own, every = ("class_weight[b,label[b]]*", "class_weight[b,a]*") if weighted else ("", "")
    if "smoothing" not in given:
        return f"{lse}\neach[b] = {own}({label})" if weighted else f"{lse}\neach[b] = {label}"
    return f"""
    {lse}
    each[b] = (1 - smoothing)*{own}({label})
    each[b] += smoothing*mean(a: {every}(lse[b] - logits[b,a]))
    """


def reinforce(given: Given) -> str:
    """-mean log pi(action) stop(ret - baseline) - entropy mean H(pi)."""
    weight = "stop(ret[b] - baseline[b])" if "baseline" in given else "stop(ret[b])"
    text = f"""
    lse[b] = logsumexp(a: logits[b,a])
    logp[b] = logits[b,action[b]] - lse[b]
    each[b] = -logp[b]*{weight}
    """
    bonus = f"""
    H[b] = -sum(a: {P_LOG_P})
    each[b] += -entropy*H[b]
    """
    return text + (bonus if "entropy" in given else "")


ROWS = (
    NamedLoss(
        "squared_error",
        ("q[b]", "y[b]"),
        "mean (q - y)^2",
        squared_error,
        (HALF,),
        source="Bishop 2006, equation 1.2, which is half the sum",
        elsewhere="whole in PyTorch's mse_loss and in SB3's value loss; half in RLax's l2_loss, in "
        "CleanRL's value loss and in scikit-learn's MLPRegressor",
    ),
    NamedLoss(
        "huber",
        ("q[b]", "y[b]"),
        "mean of d^2/2 if |d| <= delta, else delta (|d| - delta/2); d = q - y",
        """
        d[b] = q[b] - y[b]
        each[b] = where(abs(d[b]) <= delta, d[b]**2/2, delta*(abs(d[b]) - delta/2))
        """,
        (Option("delta", "1", positive=True),),
        source="Huber 1964",
        elsewhere="the same in PyTorch's huber_loss, RLax and Optax; PyTorch's smooth_l1_loss is "
        "this divided by its beta, our delta",
    ),
    NamedLoss(
        "softmax_cross_entropy",
        ("logits[b,a]", "label[b]"),
        "mean (log sum exp logits - logits(label))",
        softmax_cross_entropy,
        (
            Option("smoothing", "0", "that share of each label goes to all classes alike"),
            Option("class_weight[b,a]", "1", "each class's terms times its class_weight"),
        ),
        shared=("class_weight",),
        source="Bishop 2006, equation 4.108; smoothing: Szegedy et al. 2016, section 7",
        elsewhere="PyTorch's cross_entropy and its label_smoothing; its class weights are divided "
        "by the sum of the labels' weights, and here by nothing; Optax returns one number for each "
        "row, and no mean",
    ),
    NamedLoss(
        "binary_cross_entropy",
        ("logit[b]", "target[b]"),
        "mean (softplus(logit) - logit target)",
        "each[b] = softplus(logit[b]) - logit[b]*target[b]",
        source="Bishop 2006, equation 4.90",
        elsewhere="PyTorch's binary_cross_entropy_with_logits; Keras takes probabilities where "
        "from_logits is not set, and clips them",
    ),
    NamedLoss(
        "gaussian_nll",
        ("mu[b,i]", "log_std[b,i]", "x[b,i]"),
        "mean sum ((x - mu)/std)^2/2 + log std + log(2 pi)/2; std = exp(log_std)",
        """
        n[b,i] = (x[b,i] - mu[b,i])*exp(-log_std[b,i])
        each[b] = sum(i: n[b,i]**2/2 + log_std[b,i] + log(2*PI)/2)
        """,
        shared=("log_std",),
        source="Bishop 2006, equation 1.46, whose negative it is",
        elsewhere="PyTorch's gaussian_nll_loss takes the variance, is a mean over i too, and "
        "leaves log(2 pi)/2 out where full is not set",
    ),
    NamedLoss(
        "reinforce",
        ("logits[b,a]", "action[b]", "ret[b]"),
        "-mean log pi(action) stop(ret - baseline) - entropy mean H(pi); pi = softmax(logits)",
        reinforce,
        (Option("baseline[b]", "0"), Option("entropy", "0")),
        held="the return and the baseline",
        source="Williams 1992, section 5; Sutton, Barto 2018, equation 13.11; "
        "entropy: Williams, Peng 1991",
        elsewhere="some sum over an episode's steps where this is their mean; the PPO of SB3 and "
        "CleanRL normalises its advantages, which are data here",
    ),
    NamedLoss(
        "reward_signed_cross_entropy",
        ("logit[b]", "chosen[b]", "reward[b]"),
        "mean reward (-log p if chosen, else -log(1 - p)); p = sigmoid(logit)",
        """
        p[b] = sigmoid(logit[b])
        C[b] = where(chosen[b], -log(p[b]), -log(1 - p[b]))
        each[b] = reward[b]*C[b]
        """,
        source="the one-bias lesson; Williams 1992 for one Bernoulli unit",
        elsewhere="the lesson takes one choice at a time; it is reinforce for two actions with the "
        "logits 0 and logit",
    ),
    *VALUE,
    *POLICY,
)

LOSSES = {row.name: row for row in ROWS}
