"""The demonstration: five minutes of training on real nuclei, then every task on a field that was never seen."""
