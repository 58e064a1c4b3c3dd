#!/bin/sh
# The image's entrypoint: RUN_MODE chooses what this process runs. On Lambda, the image starts lambda_mode.py itself.
set -eu

case $0 in
    [!/]* | */./* | */../*) root=$(cd -- "$(dirname -- "$0")/.." && pwd) ;;
    *) root=${0%/*/*} ;; # the image's own call: without a fork, which would slow down every cold start
esac
case ${PYTHONPATH:-}: in
    "$root:$PWD:"*) ;; # as in the image
    *) export PYTHONPATH="$root:$PWD${PYTHONPATH:+:$PYTHONPATH}" ;;
esac

# -P: keeps the program's directory off sys.path, where its file names would hide other modules
case ${RUN_MODE:-lambda} in
    local)
        exec python -P -m dualmode.local_mode
        ;;
    lambda)
        if [ -z "${AWS_LAMBDA_RUNTIME_API:-}" ]; then
            echo "RUN_MODE=lambda needs Lambda's Runtime API, but AWS_LAMBDA_RUNTIME_API is not set: outside of Lambda, set RUN_MODE=gateway or RUN_MODE=local." >&2
            exit 64
        fi
        exec python -P "$root/dualmode/lambda_mode.py"
        ;;
    gateway)
        exec python -P -m dualmode.gateway "$root/scripts/entrypoint.sh"
        ;;
    *)
        echo "RUN_MODE=$RUN_MODE is not one of local, lambda, gateway." >&2
        exit 64
        ;;
esac
