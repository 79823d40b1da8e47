"""Losses by name, one row each: arguments with their axes, options, and equations that define them.

`b` stands for all axes that come first: the batch, the batch and time, or nothing. A row defines
`each[b]`; the loss is its mean, or what REDUCTION makes of it. An argument of rank 0 may stand for
any other without an axis of its own; axes with one letter have one size. What a row defines beside
`each` may be named in aux.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Given = frozenset[str]
"""The options that a call sets to something else than their default."""


@dataclass(frozen=True)
class Option:
    """What a call may set.

    name:     with its axes: baseline[b].
    default:  true and false are flags; none: it is not there.
    means:    what it makes of the formula that does not name it.
    positive: whether it has to be above 0.
    """

    name: str
    default: str
    means: str = ""
    positive: bool = False


REDUCTION = (
    Option("weight[b]", "1", "each times weight"),
    Option("mask[b]", "none", "the mean of those where mask is true, 0 where none is"),
    Option("sum", "false", "their sum"),
)
"""The options of every loss: what is done with `each`."""


def reduction(given: Given) -> str:
    """value = mean(b: each[b]), with those options."""
    each = "weight[b]*each[b]" if "weight" in given else "each[b]"
    if "mask" not in given:
        return f"value = {'sum' if 'sum' in given else 'mean'}(b: {each})"
    total = f"value = sum(b: where(mask[b], {each}, 0))"
    if "sum" in given:
        return total
    return f"count = maximum(sum(b: [mask[b]]), 1)\n{total}/count"


@dataclass(frozen=True)
class NamedLoss:
    """A row of the table.

    arguments: in order, with their axes: logits[b,a].
    formula:   in one line; all losses are to be minimised.
    equations: what defines `each[b]`, or a function of the options that are set.
    apart:     options of which a call sets at most one.
    shared:    arguments that may come without `b`: one for all.
    held:      what is held constant, in words.
    source:    paper and equation.
    elsewhere: what well-known implementations do differently, or alike under another name.
    """

    name: str
    arguments: tuple[str, ...]
    formula: str
    equations: str | Callable[[Given], str]
    options: tuple[Option, ...] = ()
    apart: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    held: str = "nothing"
    source: str = ""
    elsewhere: str = ""

    def written(self, given: Given) -> str:
        """Its equations with these options."""
        return self.equations if isinstance(self.equations, str) else self.equations(given)

    @property
    def form(self) -> str:
        """How it is called: huber(q[b], y[b], delta=1)."""
        options = [f"{option.name}={option.default}" for option in self.options]
        return f"{self.name}({', '.join((*self.arguments, *options))})"


def squared_error(given: Given) -> str:
    """mean (q - y)^2, or half of it."""
    half = "/2" if "half" in given else ""
    return f"each[b] = (q[b] - y[b])**2{half}"


def reinforce(given: Given) -> str:
    """-mean log pi(action) stop(ret - baseline) - entropy mean H(pi)."""
    weight = "stop(ret[b] - baseline[b])" if "baseline" in given else "stop(ret[b])"
    text = f"""
    lse[b] = logsumexp(a: logits[b,a])
    logp[b] = logits[b,action[b]] - lse[b]
    each[b] = -logp[b]*{weight}
    """
    bonus = """
    H[b] = -sum(a: expdiff(logits[b,a], lse[b])*(logits[b,a] - lse[b]))
    each[b] += -entropy*H[b]
    """
    return text + (bonus if "entropy" in given else "")


def _temporal_difference(target: str, given: Given) -> str:
    """td = q(a) - target, and the mean of its square, of half of it, or of its Huber function."""
    loss = "td[b]**2/2" if "half" in given else "td[b]**2"
    if "huber" in given:
        loss = "where(abs(td[b]) <= huber, td[b]**2/2, huber*(abs(td[b]) - huber/2))"
    return f"""
    y[b] = {target}
    td[b] = q_tm1[b,a_tm1[b]] - y[b]
    each[b] = {loss}
    """


def q_learning(given: Given) -> str:
    """td = q_tm1(a_tm1) - stop(r_t + discount_t max q_t)."""
    return _temporal_difference("stop(r_t[b] + discount_t[b]*max(a: q_t[b,a]))", given)


def residual_q_learning(given: Given) -> str:
    """td = q_tm1(a_tm1) - r_t - discount_t max q_t, with nothing held constant."""
    return _temporal_difference("r_t[b] + discount_t[b]*max(a: q_t[b,a])", given)


def double_q_learning(given: Given) -> str:
    """As q_learning, with q_t read at the argmax of q_t_selector."""
    best = "best[b] = argmax(a: q_t_selector[b,a])"
    target = "stop(r_t[b] + discount_t[b]*q_t[b,best[b]])"
    return f"{best}\n{_temporal_difference(target, given)}"


HALF = Option("half", "false", "half of it")
TD = ("q_tm1[b,a]", "a_tm1[b]", "r_t[b]", "discount_t[b]", "q_t[b,a]")
TD_OPTIONS = (HALF, Option("huber", "none", "with its Huber function for td^2", positive=True))
TD_APART = ("half", "huber")

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
        "each[b] = logsumexp(a: logits[b,a]) - logits[b,label[b]]",
        source="Bishop 2006, equation 4.108",
        elsewhere="PyTorch's cross_entropy, where it has no class weights and no label smoothing; "
        "Optax returns one number for each row, and no mean",
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
    NamedLoss(
        "q_learning",
        TD,
        "mean td^2, td = q_tm1(a_tm1) - stop(r_t + discount_t max q_t)",
        q_learning,
        TD_OPTIONS,
        TD_APART,
        held="the target: a semi-gradient",
        source="Watkins 1989; Mnih et al. 2013, equations 2 and 3",
        elsewhere="whole in CleanRL; huber=1 in SB3, and in Mnih et al. 2015, who clip the error; "
        "RLax returns td, and its l2_loss is half",
    ),
    NamedLoss(
        "residual_q_learning",
        TD,
        "mean td^2, td = q_tm1(a_tm1) - r_t - discount_t max q_t",
        residual_q_learning,
        TD_OPTIONS,
        TD_APART,
        held="nothing: the residual gradient, if q_t comes from the network that is learned",
        source="Baird 1995",
        elsewhere="with a separate target network it is q_learning",
    ),
    NamedLoss(
        "double_q_learning",
        (*TD, "q_t_selector[b,a]"),
        "mean td^2, td = q_tm1(a_tm1) - stop(r_t + discount_t q_t(argmax q_t_selector))",
        double_q_learning,
        TD_OPTIONS,
        TD_APART,
        held="the target: a semi-gradient",
        source="van Hasselt, Guez, Silver 2016, equation 4",
        elsewhere="q_t is the target network's and q_t_selector the online network's, in RLax's "
        "order of arguments; SB3's DQN is not double",
    ),
)

LOSSES = {row.name: row for row in ROWS}
