"""What a program imports of Pulumi's packages is imported beforehand at the next start."""

import subprocess
import sys

from tests.support.program import ROOT

FIRST = """
import sys
from pathlib import Path
import pulumi_aws
from sandbox.pulumi_drivers.program_packages import ProgramPackages
pulumi_aws.sns.Topic
ProgramPackages(Path(sys.argv[1])).remember()
"""
SECOND = """
import sys
from pathlib import Path
from sandbox.pulumi_drivers.program_packages import ProgramPackages
packages = ProgramPackages(Path(sys.argv[1]))
packages.start()
packages.wait()
print(*(name in sys.modules for name in ("pulumi_aws.sns.topic", "pulumi_aws.sqs.queue", "this")))
"""


def run(script, folder):
    return subprocess.run(
        [sys.executable, "-c", script, folder], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_the_services_that_a_program_used_are_imported_at_the_next_start_and_nothing_else(tmp_path):
    assert run(SECOND, tmp_path) == "False False False\n"
    run(FIRST, tmp_path)
    (record,) = tmp_path.iterdir()
    record.write_text("pulumi_that_is_not_installed\nthis\n" + record.read_text())
    assert run(SECOND, tmp_path) == "True False False\n"
