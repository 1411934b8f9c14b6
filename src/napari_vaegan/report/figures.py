"""Numbers in words of one kind: real minus signs, no powers of ten where a grey level will do."""

from __future__ import annotations


def signed(value: float, digits: int = 2) -> str:
    """Return a difference with its sign."""
    return f"{value:+.{digits}f}".replace("-", "−")


def number(value: float) -> str:
    """Return three digits that count, or all before the point."""
    return (f"{value:,.0f}" if 100 <= abs(value) < 1e9 else f"{value:.3g}").replace("-", "−")


def percent(share: float, digits: int = 0) -> str:
    """Return a share in per cent."""
    return f"{100 * share:.{digits}f} %"
