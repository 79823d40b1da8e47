"""Formulas where floats fail, one row each: as one writes them, and by each library's own function.

`written` is the formula in symgrad's notation, of x[0], x[1], ...; `plain` is the same in anybody's
functions (SymPy's, torch's, JAX's, mpmath's). The rest are the functions that a library has for it,
or for the nearest thing that it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Maths:
    """What a plain formula is written in. real: a constant, pi: the circle's."""

    exp: Callable[..., Any]
    log: Callable[..., Any]
    tanh: Callable[..., Any]
    erf: Callable[..., Any]
    sqrt: Callable[..., Any]
    abs: Callable[..., Any]
    where: Callable[..., Any]
    real: Callable[[float], Any]
    pi: Any

    def softmax(self, x: Any) -> list[Any]:
        """exp(x_i) / sum of exp(x_v)."""
        total = sum(self.exp(v) for v in x)
        return [self.exp(v) / total for v in x]

    def sigmoid(self, x: Any) -> Any:
        """1/(1 + exp(-x))."""
        return 1 / (1 + self.exp(-x))


@dataclass(frozen=True)
class Formula:
    """A formula and the points x at which it is computed.

    own:   symgrad's shortest form, by its functions; "" where `written` is it.
    torch: torch's function of x, given the library; jax: the same of JAX.
    truth: the formula where the plain one has no value in exact numbers, such as 0*log(0).
    loses: why symgrad is wrong at some point; "" where it is not.
    """

    name: str
    written: str
    plain: Callable[[Maths, Any], Any]
    points: tuple[tuple[float, ...], ...]
    own: str = ""
    torch: Callable[[Any, Any], Any] | None = None
    jax: Callable[[Any, Any], Any] | None = None
    truth: Callable[[Maths, Any], Any] | None = None
    loses: str = ""


def _normal_of_torch(torch: Any, x: Any) -> Any:
    return torch.distributions.Normal(x[0], torch.exp(x[1]), validate_args=False).log_prob(
        torch.tensor(0.5, dtype=x.dtype)
    )


def _cross_entropy_of_torch(torch: Any, x: Any) -> Any:
    return torch.nn.functional.cross_entropy(x[None], torch.tensor([0]))


def _entropy_of_torch(torch: Any, x: Any) -> Any:
    return torch.distributions.Categorical(logits=x, validate_args=False).entropy()


def _entropy_of_jax(jax: Any, x: Any) -> Any:
    logp = jax.nn.log_softmax(x)
    return -jax.numpy.sum(jax.numpy.exp(logp) * logp)


def _bce_of_torch(torch: Any, x: Any) -> Any:
    return torch.nn.functional.binary_cross_entropy_with_logits(
        x[0], torch.tensor(0.3, dtype=x.dtype)
    )


def _kl_of_torch(torch: Any, x: Any) -> Any:
    goal = torch.tensor([0.0, 1.0], dtype=x.dtype)
    return torch.nn.functional.kl_div(x.log_softmax(0), goal, reduction="sum")


def _kl_of_jax(jax: Any, x: Any) -> Any:
    goal = jax.numpy.array([0.0, 1.0])
    return jax.numpy.sum(jax.scipy.special.xlogy(goal, goal) - goal * jax.nn.log_softmax(x))


ROWS = (
    Formula(
        "sigmoid",
        "loss = 1/(1 + exp(-x[0]))",
        lambda m, x: m.sigmoid(x[0]),
        ((40.0,), (-40.0,), (800.0,), (-800.0,)),
        "loss = sigmoid(x[0])",
        lambda torch, x: torch.sigmoid(x[0]),
        lambda jax, x: jax.nn.sigmoid(x[0]),
    ),
    Formula(
        "1 - sigmoid",
        "loss = 1 - 1/(1 + exp(-x[0]))",
        lambda m, x: 1 - m.sigmoid(x[0]),
        ((40.0,), (-40.0,), (700.0,)),
        "loss = 1 - sigmoid(x[0])",
        lambda torch, x: 1 - torch.sigmoid(x[0]),
        lambda jax, x: 1 - jax.nn.sigmoid(x[0]),
    ),
    Formula(
        "log sigmoid",
        "loss = log(1/(1 + exp(-x[0])))",
        lambda m, x: m.log(m.sigmoid(x[0])),
        ((40.0,), (-40.0,), (1e4,), (-1e4,)),
        "loss = log(sigmoid(x[0]))",
        lambda torch, x: torch.nn.functional.logsigmoid(x[0]),
        lambda jax, x: jax.nn.log_sigmoid(x[0]),
    ),
    Formula(
        "softplus",
        "loss = log(1 + exp(x[0]))",
        lambda m, x: m.log(1 + m.exp(x[0])),
        ((40.0,), (-40.0,), (800.0,), (-700.0,), (1e4,), (-1e4,)),
        "loss = softplus(x[0])",
        lambda torch, x: torch.nn.functional.softplus(x[0]),
        lambda jax, x: jax.nn.softplus(x[0]),
    ),
    Formula(
        "log of a softplus",
        "loss = log(log(1 + exp(x[0])))",
        lambda m, x: m.log(m.log(1 + m.exp(x[0]))),
        ((-40.0,), (-800.0,)),
        "loss = log(softplus(x[0]))",
        lambda torch, x: torch.log(torch.nn.functional.softplus(x[0])),
        lambda jax, x: jax.numpy.log(jax.nn.softplus(x[0])),
        loses="softplus(-800) is below the smallest float, though its logarithm is not",
    ),
    Formula(
        "binary cross-entropy, target 0.3",
        "p = 1/(1 + exp(-x[0]))\nloss = -0.3*log(p) - 0.7*log(1 - p)",
        lambda m, x: (
            -m.real(0.3) * m.log(m.sigmoid(x[0])) - m.real(0.7) * m.log(1 - m.sigmoid(x[0]))
        ),
        ((0.5,), (40.0,), (1e4,), (-1e4,)),
        "loss = softplus(x[0]) - 0.3*x[0]",
        _bce_of_torch,
        lambda jax, x: jax.nn.softplus(x[0]) - 0.3 * x[0],
    ),
    Formula(
        "focal loss",
        "p = 1/(1 + exp(-x[0]))\nloss = -(1 - p)**2*log(p)",
        lambda m, x: -((1 - m.sigmoid(x[0])) ** 2) * m.log(m.sigmoid(x[0])),
        ((40.0,), (-40.0,), (200.0,), (-1e4,)),
        "p = sigmoid(x[0])\nloss = -(1 - p)**2*log(p)",
        lambda torch, x: -(torch.sigmoid(-x[0]) ** 2) * torch.nn.functional.logsigmoid(x[0]),
        lambda jax, x: -(jax.nn.sigmoid(-x[0]) ** 2) * jax.nn.log_sigmoid(x[0]),
    ),
    Formula(
        "softmax probability",
        "loss = exp(x[0])/sum(v: exp(x[v]))",
        lambda m, x: m.softmax(x)[0],
        ((0.0, 40.0), (0.0, 700.0), (700.0, 0.0), (1e4, -1e4), (-1e4, 1e4)),
        "loss = exp(x[0] - logsumexp(v: x[v]))",
        lambda torch, x: torch.softmax(x, 0)[0],
        lambda jax, x: jax.nn.softmax(x)[0],
        loses="its derivative by its own logit has the factor 1 - p, and p is rounded to 1",
    ),
    Formula(
        "softmax cross-entropy",
        "loss = -log(exp(x[0])/sum(v: exp(x[v])))",
        lambda m, x: -m.log(m.softmax(x)[0]),
        ((0.5, -0.5), (40.0, 0.0), (0.0, 40.0), (1e4, -1e4), (-1e4, 1e4), (1e4, 1e4)),
        "loss = logsumexp(v: x[v]) - x[0]",
        _cross_entropy_of_torch,
        lambda jax, x: -jax.nn.log_softmax(x)[0],
        loses="log(sum exp x) - x[0] where both are 40: what is left is below their last digit",
    ),
    Formula(
        "logsumexp",
        "loss = log(sum(v: exp(x[v])))",
        lambda m, x: m.log(sum(m.exp(v) for v in x)),
        ((1.0, 0.0, -1.0), (1e4, 0.0, -1e4), (-1e4, -1e4, -1e4)),
        "loss = logsumexp(v: x[v])",
        lambda torch, x: torch.logsumexp(x, 0),
        lambda jax, x: jax.scipy.special.logsumexp(x),
    ),
    Formula(
        "entropy of a softmax",
        "p[i] = exp(x[i])/sum(v: exp(x[v])) for i < 2\nloss = -sum(i: p[i]*log(p[i]))",
        lambda m, x: -sum(p * m.log(p) for p in m.softmax(x)),
        ((0.5, -0.5), (40.0, 0.0), (700.0, 0.0), (1e4, -1e4)),
        "lse = logsumexp(v: x[v])\nloss = -sum(i: exp(x[i] - lse)*(x[i] - lse))",
        _entropy_of_torch,
        _entropy_of_jax,
        loses="log p of a p that is rounded to 1 is 0",
    ),
    Formula(
        "divergence from a target of 0 and 1",
        "y[0] = 0\ny[1] = 1\np[i] = exp(x[i])/sum(v: exp(x[v])) for i < 2\n"
        "loss = sum(i: y[i]*(log(y[i]) - log(p[i])))",
        lambda m, x: sum(
            m.real(y) * (m.log(m.real(y)) - m.log(p))
            for y, p in zip((0.0, 1.0), m.softmax(x), strict=True)
        ),
        ((0.5, -0.5), (1e4, -1e4)),
        "y[0] = 0\ny[1] = 1\np[i] = exp(x[i])/sum(v: exp(x[v])) for i < 2\n"
        "loss = sum(i: where(y[i] > 0, y[i]*(log(y[i]) - log(p[i])), 0))",
        _kl_of_torch,
        _kl_of_jax,
        truth=lambda m, x: -m.log(m.softmax(x)[1]),
        loses="0*log(0) is nan; a `where` says what it is",
    ),
    Formula(
        "ratio of two policies",
        "e[i] = exp(x[i]) for i < 2\np[i] = e[i]/sum(v: e[v])\n"
        "f[i] = exp(x[i+2]) for i < 2\nold[i] = f[i]/sum(v: f[v])\nloss = p[0]/old[0]",
        lambda m, x: m.softmax(x[:2])[0] / m.softmax(x[2:])[0],
        ((1.0, 0.0, 0.5, 0.0), (0.0, 800.0, 1.0, 800.0), (-1e4, 0.0, 1.0 - 1e4, 0.0)),
        "loss = exp(softplus(x[3] - x[2]) - softplus(x[1] - x[0]))",
        lambda torch, x: torch.exp(torch.log_softmax(x[:2], 0) - torch.log_softmax(x[2:], 0))[0],
        lambda jax, x: jax.numpy.exp(jax.nn.log_softmax(x[:2]) - jax.nn.log_softmax(x[2:]))[0],
    ),
    Formula(
        "tanh",
        "loss = tanh(x[0])",
        lambda m, x: m.tanh(x[0]),
        ((5.0,), (20.0,), (-20.0,), (300.0,)),
        "",
        lambda torch, x: torch.tanh(x[0]),
        lambda jax, x: jax.numpy.tanh(x[0]),
        loses="tanh' is 1 - h**2 of the forward value h, the cheapest form; h is rounded to 1",
    ),
    Formula(
        "1 - tanh^2",
        "loss = 1 - tanh(x[0])**2",
        lambda m, x: 1 - m.tanh(x[0]) ** 2,
        ((5.0,), (20.0,), (300.0,)),
    ),
    Formula(
        "log(1 - tanh^2), as SAC squashes",
        "a = tanh(x[0])\nloss = log(1 - a**2)",
        lambda m, x: m.log(1 - m.tanh(x[0]) ** 2),
        ((5.0,), (20.0,), (-20.0,), (400.0,)),
        "loss = 2*(log(2) - x[0] - softplus(-2*x[0]))",
        lambda torch, x: torch.distributions.TanhTransform().log_abs_det_jacobian(x, None)[0],
        lambda jax, x: 2 * (jax.numpy.log(2.0) - x[0] - jax.nn.softplus(-2 * x[0])),
    ),
    Formula(
        "Gaussian log-density, x = mean, log-std",
        "std = exp(x[1])\nloss = -((0.5 - x[0])/std)**2/2 - log(std) - log(2*PI)/2",
        lambda m, x: (
            -(((m.real(0.5) - x[0]) / m.exp(x[1])) ** 2) / 2
            - m.log(m.exp(x[1]))
            - m.log(2 * m.pi) / 2
        ),
        ((0.25, 0.5), (0.25, 20.0), (0.25, -20.0), (0.25, 400.0), (0.25, 800.0)),
        "loss = -((0.5 - x[0])*exp(-x[1]))**2/2 - x[1] - log(2*PI)/2",
        _normal_of_torch,
        lambda jax, x: jax.scipy.stats.norm.logpdf(0.5, x[0], jax.numpy.exp(x[1])),
    ),
    Formula(
        "divergence of two Gaussians nearly alike",
        "loss = (exp(2*x[1]) + x[0]**2 - 1)/2 - x[1]",
        lambda m, x: (m.exp(2 * x[1]) + x[0] ** 2 - 1) / 2 - x[1],
        ((0.5, 0.5), (1e-8, 1e-8)),
        "loss = (expm1(2*x[1]) + x[0]**2)/2 - x[1]",
        lambda torch, x: torch.distributions.kl_divergence(
            torch.distributions.Normal(x[0], torch.exp(x[1])),
            torch.distributions.Normal(torch.zeros_like(x[0]), torch.ones_like(x[0])),
        ),
        lambda jax, x: (jax.numpy.expm1(2 * x[1]) + x[0] ** 2) / 2 - x[1],
        loses="s - log(s) - 1 near s = 1: each term is larger than the sum",
    ),
    Formula(
        "erfc",
        "loss = 1 - erf(x[0])",
        lambda m, x: 1 - m.erf(x[0]),
        ((6.0,), (25.0,), (-6.0,)),
        "loss = erfc(x[0])",
        lambda torch, x: torch.special.erfc(x[0]),
        lambda jax, x: jax.scipy.special.erfc(x[0]),
    ),
    Formula(
        "gelu",
        "loss = x[0]*(1 + erf(x[0]/sqrt(2)))/2",
        lambda m, x: x[0] * (1 + m.erf(x[0] / m.sqrt(m.real(2)))) / 2,
        ((-6.0,), (-20.0,), (-37.0,), (1e4,), (-1e4,)),
        "loss = gelu(x[0])",
        lambda torch, x: torch.nn.functional.gelu(x[0]),
        lambda jax, x: jax.nn.gelu(x[0], approximate=False),
    ),
    Formula(
        "gelu in its tanh form",
        "loss = x[0]*(1 + tanh(sqrt(2/PI)*(x[0] + 0.044715*x[0]**3)))/2",
        lambda m, x: (
            x[0] * (1 + m.tanh(m.sqrt(2 / m.pi) * (x[0] + m.real(0.044715) * x[0] ** 3))) / 2
        ),
        ((-3.0,), (-10.0,), (1e4,), (-1e4,)),
        "loss = gelu_tanh(x[0])",
        lambda torch, x: torch.nn.functional.gelu(x[0], approximate="tanh"),
        lambda jax, x: jax.nn.gelu(x[0], approximate=True),
    ),
    Formula(
        "elu",
        "loss = where(x[0] > 0, x[0], exp(x[0]) - 1)",
        lambda m, x: m.where(x[0] > 0, x[0], m.exp(x[0]) - 1),
        ((-1e-10,), (-40.0,), (1e4,), (-1e4,)),
        "loss = elu(x[0])",
        lambda torch, x: torch.nn.functional.elu(x[0]),
        lambda jax, x: jax.nn.elu(x[0]),
    ),
    Formula(
        "silu",
        "loss = x[0]/(1 + exp(-x[0]))",
        lambda m, x: x[0] / (1 + m.exp(-x[0])),
        ((-40.0,), (-700.0,), (-1e4,), (1e4,)),
        "loss = silu(x[0])",
        lambda torch, x: torch.nn.functional.silu(x[0]),
        lambda jax, x: jax.nn.silu(x[0]),
    ),
    Formula(
        "mish",
        "loss = x[0]*tanh(log(1 + exp(x[0])))",
        lambda m, x: x[0] * m.tanh(m.log(1 + m.exp(x[0]))),
        ((-40.0,), (-700.0,), (-1e4,), (20.0,), (1e4,)),
        "loss = mish(x[0])",
        lambda torch, x: torch.nn.functional.mish(x[0]),
        lambda jax, x: jax.nn.mish(x[0]),
    ),
    Formula(
        "exp - 1",
        "loss = exp(x[0]) - 1",
        lambda m, x: m.exp(x[0]) - 1,
        ((1e-10,), (-1e-300,), (-40.0,)),
        "loss = expm1(x[0])",
        lambda torch, x: torch.expm1(x[0]),
        lambda jax, x: jax.numpy.expm1(x[0]),
    ),
    Formula(
        "log of 1 + x",
        "loss = log(1 + x[0])",
        lambda m, x: m.log(1 + x[0]),
        ((1e-10,), (1e-300,), (1e300,)),
        "loss = log1p(x[0])",
        lambda torch, x: torch.log1p(x[0]),
        lambda jax, x: jax.numpy.log1p(x[0]),
    ),
    Formula(
        "log(1 - exp)",
        "loss = log(1 - exp(x[0]))",
        lambda m, x: m.log(1 - m.exp(x[0])),
        ((-1e-10,), (-40.0,), (-700.0,)),
        "loss = where(x[0] > -0.7, log(-expm1(x[0])), log1p(-exp(x[0])))",
        lambda torch, x: torch.log(-torch.expm1(x[0])),
        lambda jax, x: jax.nn.log1mexp(-x[0]),
    ),
    Formula(
        "Huber's function",
        "d = abs(x[0])\nloss = where(d <= 1, d**2/2, d - 0.5)",
        lambda m, x: m.where(m.abs(x[0]) <= 1, m.abs(x[0]) ** 2 / 2, m.abs(x[0]) - m.real(0.5)),
        ((0.5,), (1e4,), (-1e200,)),
        "loss = huber(x[0], 0)",
        lambda torch, x: torch.nn.functional.huber_loss(x[0], torch.zeros_like(x[0])),
        None,
    ),
    Formula(
        "pseudo-Huber",
        "loss = sqrt(1 + x[0]**2) - 1",
        lambda m, x: m.sqrt(1 + x[0] ** 2) - 1,
        ((0.5,), (1e-10,), (1e4,), (1e200,)),
        loses="1 + x**2 rounds to 1, or overflows",
    ),
    Formula(
        "square root",
        "loss = sqrt(x[0])",
        lambda m, x: m.sqrt(x[0]),
        ((1e-300,), (1e300,)),
    ),
    Formula(
        "norm",
        "loss = sqrt(x[0]**2 + x[1]**2)",
        lambda m, x: m.sqrt(x[0] ** 2 + x[1] ** 2),
        ((3.0, 4.0), (3e-200, 4e-200), (3e200, 4e200)),
        "",
        lambda torch, x: torch.linalg.vector_norm(x),
        lambda jax, x: jax.numpy.linalg.norm(x),
        loses="the squares underflow, or overflow",
    ),
    Formula(
        "variance of 3 far from 0",
        "mu = sum(v: x[v])/3\nloss = sum(v: x[v]**2)/3 - mu**2",
        lambda m, x: sum(v * v for v in x) / 3 - (sum(x) / 3) ** 2,
        ((1.0, 2.0, 4.0), (1e8 + 1, 1e8 + 2, 1e8 + 4)),
        "mu = sum(v: x[v])/3\nloss = sum(v: (x[v] - mu)**2)/3",
        lambda torch, x: torch.var(x, correction=0),
        lambda jax, x: jax.numpy.var(x),
        loses="the difference of two squares of 1e16; the mean of squared differences is right",
    ),
    Formula(
        "p log p",
        "loss = x[0]*log(x[0])",
        lambda m, x: x[0] * m.log(x[0]),
        ((0.5,), (1e-300,)),
        "loss = where(x[0] > 0, x[0]*log(x[0]), 0)",
        lambda torch, x: torch.special.xlogy(x[0], x[0]),
        lambda jax, x: jax.scipy.special.xlogy(x[0], x[0]),
    ),
)
