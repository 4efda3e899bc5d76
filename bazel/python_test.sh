#!/bin/sh
# Runs a Python test in the tree of its data files: Bazel's own Python rules want a `python`, which
# Debian does not have.
PYTHONPATH=$PWD exec /usr/bin/python3 -B "$@"
