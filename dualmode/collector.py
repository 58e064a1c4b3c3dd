"""Keeps the garbage collector off during start-up, which makes little garbage and many objects that stay."""

import gc

_thresholds: tuple[int, int, int] | None = None


def pause() -> None:
    """Stops automatic collections. The application alone decides whether the collector is enabled."""
    global _thresholds
    _thresholds = gc.get_threshold()
    gc.set_threshold(0)


def resume() -> None:
    """Freezes the objects from start-up, which later collections then skip, and allows collections again."""
    if _thresholds is None:
        return
    gc.freeze()
    if gc.get_threshold()[0] == 0:  # otherwise the application has set its own thresholds
        gc.set_threshold(*_thresholds)
