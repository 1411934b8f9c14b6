"""The widget of one setting, made by magicgui from its field in ``TrainingConfig``: nothing is said here a second time."""

from __future__ import annotations

from decimal import Decimal
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from magicgui.widgets import create_widget
from pydantic.fields import FieldInfo
from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import QAbstractSpinBox, QComboBox, QVBoxLayout, QWidget

AUTO = "auto"
"""Shown by a field that may be left open, and is."""

_LARGEST = 10**9


class Field(QWidget):
    """Edits one setting.

    Parameters
    ----------
    name
        Of the setting.
    info
        Its type, bounds and description.
    parent
        The form.
    """

    changed = Signal()

    def __init__(self, name: str, info: FieldInfo, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setToolTip(info.description or "")
        self._open = NoneType in get_args(info.annotation)
        kinds = [kind for kind in get_args(info.annotation) if kind is not NoneType] if self._open else [info.annotation]
        self._kind: Any = kinds[0]
        self._several = get_origin(self._kind) is tuple
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self._choices: dict[str, Any] = {}
        if self._several:
            self._choices = {choice: create_widget(annotation=bool, label=choice) for choice in _choices(self._kind)}
            widgets = list(self._choices.values())
        else:
            self._widget: Any = self._make(info)
            widgets = [self._widget]
        for widget in widgets:
            widget.native.setToolTip(self.toolTip())
            widget.changed.connect(self._tell)
            layout.addWidget(widget.native)
            if isinstance(widget.native, QAbstractSpinBox | QComboBox):
                widget.native.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
                widget.native.installEventFilter(self)
        self.set_value(info.default)

    def value(self) -> Any:
        """Return the setting."""
        if self._several:
            return tuple(choice for choice, widget in self._choices.items() if widget.value)
        value = self._widget.value
        if self._open and value in ("", self._open_value):
            return None
        return int(value) if self._kind is int else value

    def set_value(self, value: Any) -> None:
        """Show a setting."""
        if self._several:
            for choice, widget in self._choices.items():
                widget.value = choice in value
        elif value is None:
            self._widget.value = self._open_value
        else:
            if self._kind is float:
                native = self._widget.native
                native.setDecimals(max(native.decimals(), _decimals(value)))
            self._widget.value = value

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Scroll the form, not a setting that the mouse happens to pass."""
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return bool(super().eventFilter(watched, event))

    @property
    def _open_value(self) -> Any:
        """What the widget holds if the setting is left open."""
        return "" if self._kind is str else self._widget.min

    def _make(self, info: FieldInfo) -> Any:
        if self._kind not in (int, float):
            widget = create_widget(annotation=self._kind, value=info.default or "" if self._kind is str else info.default)
            if self._open:
                widget.native.setPlaceholderText(AUTO)
            return widget
        decimals = max(2, _decimals(info.default or 0.0) + 1) if self._kind is float else 0
        step = 10.0**-decimals if self._kind is float else 1
        lowest, highest = _bounds(info, step)
        if not self._open:
            options = {"min": lowest, "max": highest}
            widget = create_widget(annotation=self._kind, value=info.default, options=options)
        else:
            # The one value below the lowest stands for none at all. Only Qt's spin box for floats can show a word there.
            widget = create_widget(annotation=float, options={"min": lowest - step, "max": highest, "step": 1})
            widget.native.setSpecialValueText(AUTO)
        if hasattr(widget.native, "setDecimals"):
            widget.native.setDecimals(decimals)
        return widget

    def _tell(self, value: object) -> None:
        self.changed.emit()


def _choices(annotation: Any) -> tuple[str, ...]:
    """Return what a tuple of literals may hold."""
    literal = get_args(annotation)[0]
    assert get_origin(literal) is Literal
    return get_args(literal)


def _bounds(info: FieldInfo, step: float) -> tuple[float, float]:
    """Return the lowest and the highest value."""
    lowest, highest = -float(_LARGEST), float(_LARGEST)
    for bound in info.metadata:
        match bound:
            case Ge(ge=value):
                lowest = value  # type: ignore[assignment]
            case Gt(gt=value):
                lowest = value + step  # type: ignore[operator]
            case Le(le=value):
                highest = value  # type: ignore[assignment]
            case Lt(lt=value):
                highest = value - step  # type: ignore[operator]
    return lowest, highest


def _decimals(value: float) -> int:
    """Return how many decimals it takes to write a number exactly."""
    exponent = Decimal(repr(float(value))).normalize().as_tuple().exponent
    return max(0, -int(exponent))
