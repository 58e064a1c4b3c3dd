#!/bin/sh
# Runs the sandbox, and installs it the first time. Its arguments reach it as the shell read them: `$`, quotes and spaces.
cd -- "$(dirname -- "$0")" || exit
make --silent .venv/sandbox.installed || exit
exec .venv/bin/python -m sandbox "$@"
