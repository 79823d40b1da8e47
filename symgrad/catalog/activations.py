"""Activations, one row each: y = f(x), written in the notation.

A row is its formula alone; it is differentiated like everything else. `x` is the entry that the
function is applied to, and `x[v]` the entry v of the same last axis.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Activation:
    """A function that a layer ends with.

    name:    as layers and equations write it.
    formula: its value in terms of x and the options.
    options: each with its default: leaky_relu(0.2) sets the first.
    kink:    its derivative where the formula has none.
    source:  where it was proposed.
    also:    what other libraries call it, for errors.
    """

    name: str
    formula: str
    options: tuple[tuple[str, str], ...] = ()
    kink: str = ""
    source: str = ""
    also: tuple[str, ...] = ()

    @property
    def reads_axis(self) -> bool:
        """Whether an entry depends on the others of its axis, so that no scalar can be given."""
        return "x[" in self.formula


ROWS = (
    Activation("identity", "x", source="Bishop 2006, section 5.1", also=("linear", "none")),
    Activation("relu", "relu(x)", kink="relu'(0) = 0", source="Nair, Hinton 2010"),
    Activation(
        "leaky_relu",
        "leaky_relu(x, slope)",
        (("slope", "0.01"),),
        "leaky_relu'(0) = slope",
        "Maas, Hannun, Ng 2013",
        ("leakyrelu", "lrelu", "prelu"),
    ),
    Activation("tanh", "tanh(x)", source="LeCun et al. 1998, section 4.4"),
    Activation(
        "sigmoid",
        "sigmoid(x)",
        source="Rumelhart, Hinton, Williams 1986, equation 2",
        also=("logistic", "expit"),
    ),
    Activation("softplus", "softplus(x)", source="Dugas et al. 2001"),
    Activation(
        "elu",
        "where(x > 0, x, alpha*expm1(x))",
        (("alpha", "1"),),
        "elu'(0) = alpha",
        "Clevert, Unterthiner, Hochreiter 2016",
    ),
    Activation(
        "selu",
        "1.0507009873554805*where(x > 0, x, 1.6732632423543772*expm1(x))",
        kink="selu'(0) = scale*alpha",
        source="Klambauer et al. 2017",
    ),
    Activation(
        "silu",
        "x*sigmoid(x)",
        source="Hendrycks, Gimpel 2016; Elfwing et al. 2018",
        also=("swish",),
    ),
    Activation("gelu", "x*erfc(-x/sqrt(2))/2", source="Hendrycks, Gimpel 2016"),
    Activation(
        "gelu_tanh",
        "x*sigmoid(2*sqrt(2/PI)*(x + 0.044715*x**3))",
        source="Hendrycks, Gimpel 2016: x*(1 + tanh(u))/2 is x*sigmoid(2*u)",
    ),
    Activation("mish", "x*tanh(softplus(x))", source="Misra 2019"),
    Activation("softsign", "x/(1 + abs(x))", source="Bergstra et al. 2009"),
    Activation(
        "hardtanh",
        "where(-1 < x < 1, x, sign(x))",
        kink="hardtanh'(-1) = hardtanh'(1) = 0",
        source="Collobert 2004",
    ),
    Activation("softmax", "exp(x - logsumexp(v: x[v]))", source="Bridle 1990"),
    Activation("log_softmax", "x - logsumexp(v: x[v])", source="Bridle 1990"),
)

ACTIVATIONS = {row.name: row for row in ROWS}
