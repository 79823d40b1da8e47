"""A spec: TOML text -> declarations, shared equations, and one program for each loss.

    [sizes] [params] [data] [functions] [tensors]    what is declared
    equations, outputs, aux, wrt                     shared by all losses
    description, source                              what it is, and where it comes from
    [losses.NAME] equations, loss, aux, wrt          one loss each
    [networks.NAME] input, layers, copy_of, held     expanded to equations
    [values]                                         numbers that a derivation shows

Without [losses], top-level equations that define a rank-0 `loss` are the single loss.
"""

from symgrad.spec.model import Loss, Spec
from symgrad.spec.read import define, load, parse_spec

__all__ = ["Loss", "Spec", "define", "load", "parse_spec"]
