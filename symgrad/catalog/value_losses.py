"""Losses of values: temporal differences, distributions of returns, expectiles."""

from __future__ import annotations

from symgrad.catalog.formula import Given, NamedLoss, Option


def _temporal_difference(
    target: str, given: Given, of: str = "q_tm1[b,a_tm1[b]]", half: bool = False
) -> str:
    """td = q(a) - target, and its square, half of it, or its Huber function."""
    is_half = "half" in given or (half and "whole" not in given)
    loss = "td[b]**2/2" if is_half else "td[b]**2"
    if "huber" in given:
        loss = "where(abs(td[b]) <= huber, td[b]**2/2, huber*(abs(td[b]) - huber/2))"
    return f"""
    y[b] = {target}
    td[b] = {of} - y[b]
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


def td_learning(given: Given) -> str:
    """td = v_tm1 - stop(r_t + discount_t v_t)."""
    return _temporal_difference("stop(r_t[b] + discount_t[b]*v_t[b])", given, "v_tm1[b]", True)


def residual_td_learning(given: Given) -> str:
    """td = v_tm1 - r_t - discount_t v_t, with nothing held constant."""
    return _temporal_difference("r_t[b] + discount_t[b]*v_t[b]", given, "v_tm1[b]", True)


def td3_critic(given: Given) -> str:
    """td = q_tm1 - stop(r_t + discount_t min(q_1_t, q_2_t))."""
    target = "stop(r_t[b] + discount_t[b]*minimum(q_1_t[b], q_2_t[b]))"
    return _temporal_difference(target, given, "q_tm1[b]")


def sac_critic(given: Given) -> str:
    """td = q_tm1 - stop(r_t + discount_t (min(q_1_t, q_2_t) - alpha logp_t))."""
    soft = "minimum(q_1_t[b], q_2_t[b]) - alpha[b]*logp_t[b]"
    return _temporal_difference(f"stop(r_t[b] + discount_t[b]*({soft}))", given, "q_tm1[b]")


def sarsa(given: Given) -> str:
    """td = q_tm1(a_tm1) - stop(r_t + discount_t q_t(a_t))."""
    target = "stop(r_t[b] + discount_t[b]*q_t[b,a_t[b]])"
    return _temporal_difference(target, given, half=True)


def expected_sarsa(given: Given) -> str:
    """td = q_tm1(a_tm1) - stop(r_t + discount_t sum probs_t q_t)."""
    expected = "expected[b] = sum(a: probs_t[b,a]*q_t[b,a])"
    target = "stop(r_t[b] + discount_t[b]*expected[b])"
    return f"{expected}\n" + _temporal_difference(target, given, half=True)


def quantile_huber(given: Given) -> str:
    """sum over i, mean over j of |tau_i - 1[u < 0]| Huber(u), u = stop(target_j) - theta_i."""
    over = "/kappa" if "divided" in given else ""
    return f"""
    u[b,i,j] = stop(target[b,j]) - theta[b,i]
    side[b,i,j] = where(u[b,i,j] < 0, 1 - tau[b,i], tau[b,i])
    h[b,i,j] = where(abs(u[b,i,j]) <= kappa, u[b,i,j]**2/2, kappa*(abs(u[b,i,j]) - kappa/2)){over}
    each[b] = sum(i: mean(j: side[b,i,j]*h[b,i,j]))
    """


def ppo_value(given: Given) -> str:
    """Half the larger of (v - ret)^2 and the same of v within eps of v_old, or the latter alone."""
    near = "near[b] = stop(v_old[b]) + clip(v[b] - stop(v_old[b]), -eps, eps)"
    inside = "(near[b] - stop(ret[b]))**2"
    if "clipped" in given:
        return f"{near}\neach[b] = {inside}"
    return f"{near}\neach[b] = maximum((v[b] - stop(ret[b]))**2, {inside})/2"


HALF = Option("half", "false", "half of it")
WHOLE = Option("whole", "false", "all of td^2")
TD = ("q_tm1[b,a]", "a_tm1[b]", "r_t[b]", "discount_t[b]", "q_t[b,a]")
TD_OPTIONS = (HALF, Option("huber", "none", "with its Huber function for td^2", positive=True))
TD_APART = ("half", "huber")
HALF_TD_OPTIONS = (WHOLE, Option("huber", "none", "its Huber function for td^2/2", positive=True))
HALF_TD_APART = ("whole", "huber")

VALUE = (
    NamedLoss(
        "td_learning",
        ("v_tm1[b]", "r_t[b]", "discount_t[b]", "v_t[b]"),
        "mean td^2/2, td = v_tm1 - stop(r_t + discount_t v_t)",
        td_learning,
        HALF_TD_OPTIONS,
        HALF_TD_APART,
        held="the target: a semi-gradient",
        source="Sutton, Barto 2018, section 11.4",
        elsewhere="RLax returns td, and its l2_loss is half the square; of n steps, r_t is their "
        "discounted sum and discount_t the discount after them; a lambda return is r_t, and "
        "discount_t 0",
    ),
    NamedLoss(
        "residual_td_learning",
        ("v_tm1[b]", "r_t[b]", "discount_t[b]", "v_t[b]"),
        "mean td^2/2, td = v_tm1 - r_t - discount_t v_t",
        residual_td_learning,
        HALF_TD_OPTIONS,
        HALF_TD_APART,
        held="nothing: the residual gradient, if v_t comes from the network that is learned",
        source="Baird 1995",
        elsewhere="few libraries have it; with a separate target network it is td_learning",
    ),
    NamedLoss(
        "sarsa",
        (*TD, "a_t[b]"),
        "mean td^2/2, td = q_tm1(a_tm1) - stop(r_t + discount_t q_t(a_t))",
        sarsa,
        HALF_TD_OPTIONS,
        HALF_TD_APART,
        held="the target: a semi-gradient",
        source="Rummery, Niranjan 1994; Sutton, Barto 2018, equation 10.1",
        elsewhere="RLax returns td, and its l2_loss is half the square",
    ),
    NamedLoss(
        "expected_sarsa",
        (*TD, "probs_t[b,a]"),
        "mean td^2/2, td = q_tm1(a_tm1) - stop(r_t + discount_t sum probs_t q_t)",
        expected_sarsa,
        HALF_TD_OPTIONS,
        HALF_TD_APART,
        held="the target: a semi-gradient",
        source="van Seijen et al. 2009",
        elsewhere="RLax returns td, and its l2_loss is half the square; with the probabilities of "
        "a greedy policy it is q_learning",
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
    NamedLoss(
        "td3_critic",
        ("q_tm1[b]", "r_t[b]", "discount_t[b]", "q_1_t[b]", "q_2_t[b]"),
        "mean td^2, td = q_tm1 - stop(r_t + discount_t min(q_1_t, q_2_t))",
        td3_critic,
        TD_OPTIONS,
        TD_APART,
        held="the target: a semi-gradient",
        source="Fujimoto, van Hoof, Meger 2018, equation 10",
        elsewhere="one critic's loss: CleanRL and SB3 add that of the other, with the same target; "
        "q_1_t and q_2_t are at an action with clipped noise",
    ),
    NamedLoss(
        "sac_critic",
        ("q_tm1[b]", "r_t[b]", "discount_t[b]", "q_1_t[b]", "q_2_t[b]", "logp_t[b]", "alpha[b]"),
        "mean td^2, td = q_tm1 - stop(r_t + discount_t (min(q_1_t, q_2_t) - alpha logp_t))",
        sac_critic,
        TD_OPTIONS,
        TD_APART,
        held="the target, the temperature in it too: a semi-gradient",
        source="Haarnoja et al. 2018, equations 5 and 6",
        elsewhere="one critic's loss: whole in CleanRL, half in SB3, in Spinning Up whole, and "
        "each adds that of the other",
    ),
    NamedLoss(
        "c51",
        ("logits[b,a,k]", "a_tm1[b]", "target[b,k]"),
        "mean -sum stop(target) log p; p = softmax(logits(a_tm1))",
        """
        lse[b] = logsumexp(k: logits[b,a_tm1[b],k])
        each[b] = -sum(k: stop(target[b,k])*(logits[b,a_tm1[b],k] - lse[b]))
        """,
        held="the target, a projected distribution",
        source="Bellemare, Dabney, Munos 2017, algorithm 1",
        elsewhere="the projection is data: symgrad.returns",
    ),
    NamedLoss(
        "quantile_huber",
        ("theta[b,i]", "tau[b,i]", "target[b,j]"),
        "mean sum over i, mean over j, |tau_i - 1[u < 0]| Huber(u); u = stop(target_j) - theta_i",
        quantile_huber,
        (
            Option("kappa", "1", positive=True),
            Option("divided", "false", "Huber(u)/kappa for Huber(u)"),
        ),
        shared=("tau",),
        held="the target",
        source="Dabney et al. 2018, equation 10",
        elsewhere="not divided by kappa in RLax and sb3-contrib; divided in IQN",
    ),
    NamedLoss(
        "expectile",
        ("q[b]", "v[b]"),
        "mean |tau - 1[d < 0]| d^2, d = stop(q) - v",
        """
        d[b] = stop(q[b]) - v[b]
        each[b] = where(d[b] < 0, 1 - tau, tau)*d[b]**2
        """,
        (Option("tau", "0.7"),),
        held="q",
        source="Kostrikov, Nair, Levine 2022, equation 5",
        elsewhere="no half in it, there and here",
    ),
    NamedLoss(
        "ppo_value",
        ("v[b]", "v_old[b]", "ret[b]"),
        "mean of half max((v - ret)^2, (near - ret)^2); near = v_old + clip(v - v_old, -eps, eps)",
        ppo_value,
        (
            Option("eps", "0.2", positive=True),
            Option("clipped", "false", "(near - ret)^2 alone, and no half"),
        ),
        held="v_old and the return",
        source="Schulman et al. 2017; Engstrom et al. 2020",
        elsewhere="half the larger in CleanRL; clipped in SB3; squared_error in Spinning Up",
    ),
)
