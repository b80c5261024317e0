"""The report: figures, tables, model cards."""
