"""The semantic requirements at level MUST that one row can break, as a checker judges them (sections 9 to 12, 14.3).

A writer asks them of the codes and ranges that it is about to write, so that it writes no file that contradicts itself.
"""

from collections.abc import Iterator
from typing import Any

import polars as pl

from logitpack_polars.decoding import interpolate
from logitpack_polars.faults import fault

HALF_STEP = 1 / 2 + 1 / 64  # QNT-3
ROUNDING = 1e-9


def bounds(tokens: pl.LazyFrame) -> pl.LazyFrame:
    """Add what the true logits and logsumexps lie between: top_, sampled_ and logsumexp_lower and _upper."""
    slack = 2.0**-16 * pl.max_horizontal(pl.lit(1.0), pl.col("logsumexp").abs())
    return tokens.with_columns(
        *(
            _bound(kind, side).alias(f"{kind}_{name}")
            for kind in ("top", "sampled")
            for name, side in (("lower", -HALF_STEP), ("upper", HALF_STEP))
        ),
        logsumexp_lower=pl.col("logsumexp") - slack,
        logsumexp_upper=pl.col("logsumexp") + slack,
    )


def checks(metadata: dict[str, Any] | None) -> Iterator[pl.Expr]:
    """Give the faults of tokens with `bounds`; `metadata` are valid ones."""
    declared = metadata or {"nucleus": {}, "tail": {}}
    nucleus = declared["nucleus"]
    count, stride = pl.col("top_indices").list.len(), pl.col("sampled_indices").list.len()
    cap = nucleus.get("max_entries", 100)
    yield fault("NUC-8", count > cap, pl.format(f"{{}} entries in the nucleus, more than {cap}", count))
    num_sampled = declared["tail"].get("num_sampled")
    if num_sampled is not None:
        yield fault("TAIL-4", stride != num_sampled, pl.format(f"{{}} entries in the tail, not {num_sampled}", stride))
    yield fault("NUC-2", pl.col("top_indices").list.n_unique() != count, "an index stands twice in the nucleus")
    yield fault("TAIL-1", pl.col("sampled_indices").list.n_unique() != stride, "an index stands twice in the tail")
    both = pl.col("top_indices").list.set_intersection("sampled_indices").list.len()
    yield fault("TAIL-2", both > 0, "an index stands in the nucleus and in the tail")
    yield from _logits(declared.get("vocab_size"))
    if nucleus.get("order") == "descending":
        rise = pl.col("top_codes").cast(pl.List(pl.Int32)).list.diff().list.max()
        yield fault("NUC-7", rise > 0, "the nucleus is not in descending order")
    if nucleus.get("rule") in {"covering", "below"}:
        yield from _masses(nucleus["rule"], nucleus["top_p"], nucleus["max_entries"])


def _logits(vocab_size: int | None) -> Iterator[pl.Expr]:
    largest, least = pl.col("sampled_lower").list.max(), pl.col("top_upper").list.min()
    slack = 2.0**-40 * pl.max_horizontal(largest.abs(), least.abs())
    yield fault("NUC-3", largest - least > slack, "a tail logit exceeds the smallest of the nucleus")
    below = _log_sum_exp("lower") - ROUNDING
    yield fault("LSE-2", pl.col("logsumexp_upper") < below, "logsumexp is too small for the entries")
    if vocab_size is not None:
        stored = pl.col("top_indices").list.len() + pl.col("sampled_indices").list.len()
        rest = pl.max_horizontal(pl.lit(0), vocab_size - stored.cast(pl.Int64))
        above = _log_sum_exp("upper", rest, least) + ROUNDING
        yield fault("LSE-3", pl.col("logsumexp_lower") > above, "logsumexp is too large for the entries")


def _masses(rule: str, top_p: float, cap: int) -> Iterator[pl.Expr]:
    count = pl.col("top_indices").list.len()
    lower = (pl.col("top_lower") - pl.col("logsumexp_upper")).list.eval(pl.element().exp())
    upper = (pl.col("top_upper") - pl.col("logsumexp_lower")).list.eval(pl.element().exp())
    if rule == "covering":
        short = upper.list.sum() * (1 + ROUNDING) < top_p
        yield fault("NUC-4", short & (count < cap), f"the nucleus holds less than {top_p}")
        enough = (lower.list.sum() - lower.list.min()) * (1 - ROUNDING) >= top_p
        yield fault("NUC-5", enough & (count > 1), f"the nucleus holds {top_p} without its smallest entry")
    else:
        more = lower.list.sum() * (1 - ROUNDING) > top_p
        yield fault("NUC-6", more & (count > 1), f"the nucleus holds more than {top_p}")


def _bound(kind: str, side: float) -> pl.Expr:
    codes = pl.col(f"{kind}_codes").cast(pl.List(pl.Float64))
    return interpolate(kind, codes.list.eval((pl.element() + side).clip(0, 65535)))


def _log_sum_exp(side: str, rest: pl.Expr | None = None, logit: pl.Expr | None = None) -> pl.Expr:
    """log(sum of exp over all bounds + rest * exp(logit)), the largest bound taken out of the sum."""
    logits = pl.concat_list(f"top_{side}", f"sampled_{side}")
    largest = logits.list.max()
    total = (logits - largest).list.eval(pl.element().exp()).list.sum()
    if rest is not None and logit is not None:
        total += rest * (logit - largest).exp()
    return total.log() + largest
