"""`make mutants`: makes each mistake of the list in a copy of the repository, and says which ones no test notices."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue
from time import monotonic

from tests.mutants.mutant import LIST, Mutant, StaleError, read
from tests.mutants.trial import KILLED, SURVIVED, Outcome, copy_tree, run_tests, try_mutant

ROOT = Path(__file__).parents[2]

AT_ONCE = 2

MOST_TOLD = 160
"""Characters of what pytest said."""

SECONDS_WITHOUT = 900.0
"""How long all tests of the list may take without a mutant."""


def main(arguments: Sequence[str] | None = None, root: Path = ROOT, path: Path = LIST) -> int:
    """Runs the command, and returns its exit status: 1 if a mutant survived for a reason that the list doesn't say."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only mutants that have one of these in their file or their mistake")
    words = parser.parse_args(arguments).words
    mutants = [each for each in read(path) if not words or any(word in f"{each.file} {each.mistake}" for word in words)]
    begun = monotonic()
    try:
        for mutant in mutants:
            mutant.applied((root / mutant.file).read_text())
    except StaleError as error:
        print(error, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        trees = [Path(folder, str(number)) for number in range(AT_ONCE)]
        copy_tree(root, trees[0])
        tests = sorted({test for mutant in mutants for test in mutant.tests})
        print(f"Running {len(tests)} files and tests without a mutant ...", flush=True)
        at_once = ["--numprocesses", str(AT_ONCE), "--dist", "loadfile"]
        without = run_tests(trees[0], [*at_once, *tests], SECONDS_WITHOUT)
        if without.verdict != SURVIVED:
            print(f"Without a mutant the tests must pass, and they don't: {without.line}", file=sys.stderr)
            return 1
        for tree in trees[1:]:
            copy_tree(trees[0], tree)
        print(f"They pass: {without.line}", flush=True)
        outcomes = {}
        for mutant, outcome in tried(mutants, trees):
            outcomes[mutant] = outcome
            print(f"{len(outcomes):3}/{len(mutants)}  {told(mutant, outcome)}", flush=True)
    return report(mutants, outcomes, monotonic() - begun)


def tried(mutants: Sequence[Mutant], trees: Sequence[Path]) -> Iterator[tuple[Mutant, Outcome]]:
    """Yields what became of each mutant as soon as it is known, as many at once as there are copies."""
    free: SimpleQueue[Path] = SimpleQueue()
    for tree in trees:
        free.put(tree)

    def one(mutant: Mutant) -> Outcome:
        tree = free.get()
        try:
            return try_mutant(tree, mutant)
        finally:
            free.put(tree)

    with ThreadPoolExecutor(len(trees)) as pool:
        running = {pool.submit(one, mutant): mutant for mutant in mutants}
        try:
            for future in as_completed(running):
                yield running[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def told(mutant: Mutant, outcome: Outcome) -> str:
    """Returns the line about a mutant, and below it what pytest said."""
    line = f"{outcome.verdict:<9} {outcome.seconds:5.1f} s  {mutant.file}: {mutant.mistake}"
    return f"{line}\n{' ' * 9}{outcome.line[:MOST_TOLD]}"


def report(mutants: Sequence[Mutant], outcomes: dict[Mutant, Outcome], seconds: float) -> int:
    """Prints how many were killed, and each other one with its reason; returns the exit status."""
    others = {mutant: outcome for mutant in mutants if (outcome := outcomes[mutant]).verdict != KILLED}
    minutes, rest = divmod(round(seconds), 60)
    print(f"\nkilled {len(mutants) - len(others)} of {len(mutants)} in {minutes} min {rest} s")
    for mutant, outcome in others.items():
        why = (mutant.survives if outcome.verdict == SURVIVED else outcome.line) or "no test notices it"
        print(f"  {outcome.verdict}: {mutant.file}: {mutant.mistake}\n    {why}")
    killed_after_all = [mutant for mutant in mutants if mutant.survives and mutant not in others]
    for mutant in killed_after_all:
        print(f"  {mutant.file}: {mutant.mistake}\n    a test notices it now: remove its `survives` from the list")
    as_said = all(mutant.survives and outcome.verdict == SURVIVED for mutant, outcome in others.items())
    return 0 if as_said and not killed_after_all else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # the tests that ran have ended, and the copies are gone
        sys.exit("Stopped.")
