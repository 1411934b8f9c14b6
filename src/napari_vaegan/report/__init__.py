"""The quality report: one page about a model, beside its file. It needs neither torch nor the weights."""

from napari_vaegan.report.write import report_of, write_report

__all__ = ["report_of", "write_report"]
