"""The whole deployment on one machine, with no account: the real program against an emulated AWS."""

import os

# The real engine is spoken to over gRPC, whose handlers for forks break processes started meanwhile, and print.
# It reads this at its first import, which pulumi's SDK makes.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
