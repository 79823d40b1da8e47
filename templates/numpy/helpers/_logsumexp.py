def _logsumexp(x, out=None, *, scratch, total):
    """log of the sum of exp(x) over the last axis; -inf for a row of -inf."""
    high = np.max(x, axis=-1, out=out)
    high = np.maximum(high, np.finfo(x.dtype).min, out=out)
    np.exp(np.subtract(x, high[..., None], out=scratch), out=scratch)
    np.sum(scratch, axis=-1, out=total)
    with np.errstate(divide="ignore"):
        return np.add(high, np.log(total, out=total), out=out)
