_ERFC = (
    4.805436123800187e-10, 2.2681123161281883e-09, -9.158831426055293e-10, -1.9098527570864875e-08,
    1.6999320255878013e-09, 1.2867215146802265e-07, -7.568853688031865e-08, -8.494215484449161e-07,
    1.4240059955447907e-06, 4.6958644741193655e-06, -1.8860729646756052e-05,
    -3.6355961487298794e-06, 0.00017681276235889215, -0.00045505260369331697,
    -0.0002809588544600414, 0.006112055646301874, -0.02637005334154019, 0.07638151490993866,
    -0.1740109372398645, 0.33085158787799085, -0.5408538313132368, 0.7732087022652374,
    -0.976548729080882, 1.095995661000491,
)


def _erfc(x, out=None, scratch=(None, None, None), where=True):
    """erfc(x) = exp(-a^2) P(v)/(a + 4) for x > 0, else 2 minus that, where a = min(abs(x), 28).

    _ERFC holds the polynomial P, highest power first: with v = (a - 4)/(a + 4) it meets
    exp(a^2) erfc(a) (a + 4) at the 24 Chebyshev points of -1 <= v <= 3/4, worked out with 60
    digits. exp(-a^2) is exp(-h^2) exp((h - a)(h + a)): h is a, rounded to a multiple of 1/64, and
    its square is exact. The error is below 5 units in the last place, in the tail too.
    """
    first, second, third = scratch
    a = np.minimum(np.abs(x, out=first, where=where), 28.0, out=first, where=where)
    d = np.add(a, 4.0, out=second, where=where)
    v = np.subtract(a, 4.0, out=third, where=where)
    v = np.divide(v, d, out=third, where=where)
    p = np.multiply(v, _ERFC[0], out=out, where=where)
    for c in _ERFC[1:-1]:
        p = np.multiply(np.add(p, c, out=out, where=where), v, out=out, where=where)
    p = np.divide(np.add(p, _ERFC[-1], out=out, where=where), d, out=out, where=where)
    h = np.rint(np.multiply(a, 64.0, out=third, where=where), out=third, where=where)
    h = np.divide(h, 64.0, out=third, where=where)
    d = np.subtract(h, a, out=second, where=where)
    d = np.multiply(d, np.add(h, a, out=first, where=where), out=second, where=where)
    p = np.multiply(p, np.exp(d, out=second, where=where), out=out, where=where)
    h = np.negative(np.multiply(h, h, out=third, where=where), out=third, where=where)
    p = np.multiply(p, np.exp(h, out=third, where=where), out=out, where=where)
    sign = np.copysign(1.0, x, out=first, where=where)
    p = np.multiply(p, sign, out=out, where=where)
    return np.add(p, np.subtract(1.0, sign, out=first, where=where), out=out, where=where)
