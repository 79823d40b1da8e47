"""Losses of policies: clipped and weighted surrogates, deterministic and maximum-entropy actors."""

from __future__ import annotations

from symgrad.catalog.formula import P_LOG_P, Given, NamedLoss, Option


def temperature(given: Given) -> str:
    """-alpha stop(logp + entropy), alpha = exp(log_alpha), or log_alpha in its place."""
    alpha = "log_alpha[b]" if "log" in given else "exp(log_alpha[b])"
    return f"each[b] = -{alpha}*stop(logp[b] + entropy[b])"


POLICY = (
    NamedLoss(
        "a2c",
        ("logits[b,a]", "action[b]", "ret[b]", "v[b]"),
        "-mean log pi(action) stop(ret - v) + critic mean (v - stop(ret))^2 - entropy mean H(pi); "
        "pi = softmax(logits)",
        f"""
        lse[b] = logsumexp(a: logits[b,a])
        logp[b] = logits[b,action[b]] - lse[b]
        H_pi[b] = -sum(a: {P_LOG_P})
        each[b] = critic*(v[b] - stop(ret[b]))**2 - logp[b]*stop(ret[b] - v[b]) - entropy*H_pi[b]
        """,
        (Option("critic", "0.5"), Option("entropy", "0.01")),
        held="the return, and v in the advantage",
        source="Mnih et al. 2016, algorithm S3",
        elsewhere="critic 0.5 and entropy 0.01 in OpenAI Baselines; SB3 has entropy 0, and so does "
        "RLax, whose parts stand apart",
    ),
    NamedLoss(
        "entropy_bonus",
        ("logits[b,a]",),
        "-mean H(pi); pi = softmax(logits)",
        f"""
        lse[b] = logsumexp(a: logits[b,a])
        each[b] = sum(a: {P_LOG_P})
        """,
        source="Williams, Peng 1991",
        elsewhere="RLax's entropy_loss; times 0.01 in CleanRL's PPO; of Gaussians it is "
        "-normal_entropy(log_std)",
    ),
    NamedLoss(
        "surrogate",
        ("logp[b]", "logp_old[b]", "advantage[b]"),
        "-mean r A; r = exp(logp - logp_old), A = advantage",
        "each[b] = -exp(logp[b] - stop(logp_old[b]))*stop(advantage[b])",
        held="logp_old and the advantage",
        source="Schulman et al. 2015, equation 14",
        elsewhere="TRPO bounds the divergence beside it: categorical_kl, normal_kl",
    ),
    NamedLoss(
        "ppo_clip",
        ("logp[b]", "logp_old[b]", "advantage[b]"),
        "-mean min(r A, clip(r, 1 - eps, 1 + eps) A); r = exp(logp - logp_old), A = advantage",
        """
        r[b] = exp(logp[b] - stop(logp_old[b]))
        A[b] = stop(advantage[b])
        each[b] = -minimum(r[b]*A[b], clip(r[b], 1 - eps, 1 + eps)*A[b])
        """,
        (Option("eps", "0.2", positive=True),),
        held="logp_old and the advantage",
        source="Schulman et al. 2017, equation 7",
        elsewhere="at r = 1 the derivative by r is -A: here from the first side of the tie, in "
        "libraries that share a tie half from each",
    ),
    NamedLoss(
        "advantage_weighted",
        ("logp[b]", "advantage[b]"),
        "-mean min(exp(A/beta), w_max) logp; A = advantage",
        "each[b] = -stop(exp(minimum(advantage[b]/beta, log(w_max))))*logp[b]",
        (Option("beta", "1", positive=True), Option("w_max", "20", positive=True)),
        held="the weight",
        source="Peng et al. 2019, equation 10; Nair et al. 2020",
        elsewhere="IQL's beta is 1/beta of here, and its weight at most 100; AWAC divides by the "
        "weights' sum",
    ),
    NamedLoss(
        "deterministic_policy",
        ("q[b]",),
        "-mean q",
        "each[b] = -q[b]",
        source="Silver et al. 2014, equation 9; Lillicrap et al. 2016",
        elsewhere="q is the critic at the actor's action, critic(obs, actor)[b,0], and wrt the "
        "actor alone",
    ),
    NamedLoss(
        "sac_actor",
        ("logp[b]", "q_1[b]", "q_2[b]", "alpha[b]"),
        "mean stop(alpha) logp - min(q_1, q_2)",
        "each[b] = stop(alpha[b])*logp[b] - minimum(q_1[b], q_2[b])",
        held="the temperature",
        source="Haarnoja et al. 2018, equation 7",
        elsewhere="with one critic, give it twice",
    ),
    NamedLoss(
        "sac_temperature",
        ("log_alpha[b]", "logp[b]", "entropy[b]"),
        "-mean alpha stop(logp + entropy); alpha = exp(log_alpha)",
        temperature,
        (Option("log", "false", "log_alpha for alpha"),),
        held="the log-probability and the entropy aimed at",
        source="Haarnoja et al. 2018, equation 18",
        elsewhere="alpha in CleanRL; log_alpha in its place in SB3",
    ),
    NamedLoss(
        "dpo",
        ("logp_w[b]", "logp_l[b]", "ref_w[b]", "ref_l[b]"),
        "-mean log sigmoid(beta (logp_w - ref_w - logp_l + ref_l))",
        """
        margin[b] = logp_w[b] - stop(ref_w[b]) - logp_l[b] + stop(ref_l[b])
        each[b] = softplus(-beta*margin[b])
        """,
        (Option("beta", "0.1", positive=True),),
        held="the reference",
        source="Rafailov et al. 2023, equation 7",
        elsewhere="the same in TRL and torchtune, where nothing is smoothed; beta is 0.1 there too",
    ),
)
