"""The whole deployment on one machine, with no account: the real program against an emulated AWS."""

import os

# The real engine is called over gRPC. gRPC's fork handlers break processes that are started meanwhile, and print.
# gRPC reads this variable when it is first imported, which pulumi's SDK does.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
