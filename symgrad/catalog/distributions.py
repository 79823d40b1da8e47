"""Distributions by name, one row each: a log-probability, an entropy or a divergence, at every b.

Rows are of the kind of the losses, and are read at their places: normal_entropy(log_std)[b]. The
axis i or a is that of a distribution's own entries; entries of i are independent, and add up.
"""

from __future__ import annotations

from symgrad.catalog.formula import P_LOG_P, Given, NamedLoss, Option
from symgrad.catalog.losses import LOSSES

LOG_2PI = "log(2*PI)"


def squashed_normal_log_prob(given: Given) -> str:
    """log N(u; mu, std) - sum log(1 - tanh(u)^2), or with eps added inside of that log."""
    stable = "2*(log(2) - u[b,i] - softplus(-2*u[b,i]))"
    correction = "log(1 - tanh(u[b,i])**2 + eps)" if "eps" in given else stable
    return f"""
    n[b,i] = (u[b,i] - mu[b,i])*exp(-log_std[b,i])
    each[b] = -sum(i: n[b,i]**2/2 + log_std[b,i] + {LOG_2PI}/2 + {correction})
    """


ROWS = (
    NamedLoss(
        "categorical_log_prob",
        ("logits[b,a]", "action[b]"),
        "logits(action) - log sum exp logits",
        "each[b] = logits[b,action[b]] - logsumexp(a: logits[b,a])",
        shared=("logits",),
        source="Bishop 2006, equation 4.104",
    ),
    NamedLoss(
        "categorical_entropy",
        ("logits[b,a]",),
        "-sum p log p; p = softmax(logits)",
        f"""
        lse[b] = logsumexp(a: logits[b,a])
        each[b] = -sum(a: {P_LOG_P})
        """,
        source="Shannon 1948, section 6; Bishop 2006, equation 1.98",
        elsewhere="a logit of -inf masks an action and counts 0, as in PyTorch; sb3-contrib masks "
        "with -1e8, which has the same value",
    ),
    NamedLoss(
        "categorical_kl",
        ("logits[b,a]", "logits_q[b,a]"),
        "sum p (log p - log q); p, q = softmax of logits, logits_q",
        """
        lse[b] = logsumexp(a: logits[b,a])
        lse_q[b] = logsumexp(a: logits_q[b,a])
        d[b,a] = where(-inf < logits[b,a], logits[b,a] - lse[b] - logits_q[b,a] + lse_q[b], 0)
        each[b] = sum(a: expdiff(logits[b,a], lse[b])*d[b,a])
        """,
        source="Kullback, Leibler 1951; Bishop 2006, equation 1.113",
    ),
    NamedLoss(
        "bernoulli_log_prob",
        ("logit[b,i]", "x[b,i]"),
        "sum x logit - softplus(logit); x is 0 or 1",
        "each[b] = sum(i: x[b,i]*logit[b,i] - softplus(logit[b,i]))",
        shared=("logit",),
        source="Bishop 2006, equation 2.2",
    ),
    NamedLoss(
        "bernoulli_entropy",
        ("logit[b,i]",),
        "sum softplus(logit) - p logit; p = sigmoid(logit)",
        "each[b] = sum(i: softplus(logit[b,i]) - sigmoid(logit[b,i])*logit[b,i])",
        source="Shannon 1948, section 6; Bishop 2006, appendix B",
    ),
    NamedLoss(
        "bernoulli_kl",
        ("logit[b,i]", "logit_q[b,i]"),
        "sum p (logit - logit_q) - softplus(logit) + softplus(logit_q); p = sigmoid(logit)",
        """
        d[b,i] = logit[b,i] - logit_q[b,i]
        each[b] = sum(i: sigmoid(logit[b,i])*d[b,i] - softplus(logit[b,i]) + softplus(logit_q[b,i]))
        """,
        source="Kullback, Leibler 1951; Bishop 2006, equation 1.113",
    ),
    NamedLoss(
        "normal_log_prob",
        ("mu[b,i]", "log_std[b,i]", "x[b,i]"),
        "-sum ((x - mu)/std)^2/2 + log std + log(2 pi)/2; std = exp(log_std)",
        f"""
        n[b,i] = (x[b,i] - mu[b,i])*exp(-log_std[b,i])
        each[b] = -sum(i: n[b,i]**2/2 + log_std[b,i] + {LOG_2PI}/2)
        """,
        shared=("log_std",),
        source="Bishop 2006, equation 1.46",
    ),
    NamedLoss(
        "normal_entropy",
        ("log_std[b,i]",),
        "sum log_std + (1 + log(2 pi))/2",
        f"each[b] = sum(i: log_std[b,i] + (1 + {LOG_2PI})/2)",
        source="Bishop 2006, equation 1.110",
    ),
    NamedLoss(
        "normal_kl",
        ("mu[b,i]", "log_std[b,i]", "mu_q[b,i]", "log_std_q[b,i]"),
        "sum log(std_q/std) + (var + (mu - mu_q)^2)/(2 var_q) - 1/2",
        """
        n[b,i] = (mu[b,i] - mu_q[b,i])*exp(-log_std_q[b,i])
        each[b] = sum(i: (exp(2*(log_std[b,i] - log_std_q[b,i])) + n[b,i]**2 - 1)/2
            - log_std[b,i] + log_std_q[b,i])
        """,
        shared=("log_std", "log_std_q"),
        source="Kullback, Leibler 1951; Bishop 2006, exercise 1.30",
    ),
    NamedLoss(
        "squashed_normal_log_prob",
        ("mu[b,i]", "log_std[b,i]", "u[b,i]"),
        "log N(u; mu, std) - sum log(1 - tanh(u)^2): of a = tanh(u)",
        squashed_normal_log_prob,
        (Option("eps", "none", "with eps added inside of that log", positive=True),),
        shared=("log_std",),
        source="Haarnoja et al. 2018, appendix C",
        elsewhere="eps=1e-6 in SB3 and CleanRL; the stable form in Spinning Up and here",
    ),
)

DISTRIBUTIONS = {row.name: row for row in ROWS}
FORMULAS = {**LOSSES, **DISTRIBUTIONS}
