"""The form of all settings of a training, generated from ``TrainingConfig``."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QVBoxLayout, QWidget

from napari_vaegan.config import TrainingConfig
from napari_vaegan.widgets.train.field import Field
from napari_vaegan.widgets.train.fold import Fold

IN_FRONT = ("preset", "minutes", "tasks")


class SettingsForm(QWidget):
    """Edits a ``TrainingConfig``: a few fields in front, the others and those for experts folded away."""

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.more = Fold("More settings", "Settings that most trainings leave as they are.", self)
        self.expert = Fold("Expert settings", "Settings of the method itself.", self)
        front, more, expert = QWidget(self), QWidget(self), QWidget(self)
        forms = {page: _form(page) for page in (front, more, expert)}
        self.fields: dict[str, Field] = {}
        for name, info in TrainingConfig.model_fields.items():
            extra = info.json_schema_extra
            is_expert = isinstance(extra, dict) and bool(extra.get("expert"))
            page = front if name in IN_FRONT else expert if is_expert else more
            field = Field(name, info, page)
            field.changed.connect(self.changed)
            forms[page].addRow(_title(name), field)
            forms[page].labelForField(field).setToolTip(field.toolTip())
            self.fields[name] = field
        self.more.addWidget(more)
        self.expert.addWidget(expert)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (front, self.more, self.expert):
            layout.addWidget(widget)

    def value(self) -> TrainingConfig:
        """Return the settings.

        Raises
        ------
        SettingError
            If one is out of its range, or two exclude each other.
        """
        return TrainingConfig(**{name: field.value() for name, field in self.fields.items()})

    def set_value(self, config: TrainingConfig) -> None:
        """Show settings."""
        for name, field in self.fields.items():
            field.set_value(getattr(config, name))


def _title(name: str) -> str:
    words = name.replace("_", " ")
    return words.replace("kl", "KL") if words.startswith("kl ") else words.capitalize()


def _form(page: QWidget) -> QFormLayout:
    form = QFormLayout(page)
    form.setContentsMargins(0, 0, 0, 0)
    form.setVerticalSpacing(4)
    form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    return form
