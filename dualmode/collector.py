"""Keeps the garbage collector out of start-up, which makes little garbage and many objects that stay."""

import gc

_thresholds: tuple[int, int, int] | None = None


def pause() -> None:
    """Stops automatic collections. Whether the collector is enabled stays the application's own to say."""
    global _thresholds
    _thresholds = gc.get_threshold()
    gc.set_threshold(0)


def resume() -> None:
    """Sets what start-up made aside, for no later collection to look at, and lets collections happen again."""
    if _thresholds is None:
        return
    gc.freeze()
    if gc.get_threshold()[0] == 0:  # else the application has set thresholds of its own
        gc.set_threshold(*_thresholds)
