#!/bin/sh
# Runs the sandbox, and installs it the first time. Arguments are passed on unchanged, with `$`, quotes and spaces.
cd -- "$(dirname -- "$0")" || exit
make --silent .venv/sandbox.installed || exit
exec .venv/bin/python -m sandbox "$@"
