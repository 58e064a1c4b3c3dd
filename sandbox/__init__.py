"""The whole deployment on one machine, with no account: the real program against an emulated AWS."""
