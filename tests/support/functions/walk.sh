#!/bin/sh
# AWS's emulator takes a program without arguments.
exec "$WALK_PYTHON" "$WALK_PROGRAM" "$WALK_TRANSCRIPT"
