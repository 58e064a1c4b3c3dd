"""Who answers for each conformance case of how HTTP APIs and Function URLs talk to Lambda.

A case of the gateway or the adapter (which is all that runs in the image) has tests there that carry the case's id in
their own. Cases of the edge need what only the sandbox's walk knows (several routes, authorizers, CORS, mutual TLS,
permissions, HTTP/2) or a Function URL, which the gateway isn't: they are open.
"""


def cases(ids: str) -> list[str]:
    return ids.split()


ALL = [
    *(f"R{number:02}" for number in range(1, 66)),
    *(f"S{number:02}" for number in range(1, 42)),
    *(f"L{number:02}" for number in range(1, 11)),
]

GATEWAY = cases("""
    R01 R02 R04 R05 R06 R07 R08 R09 R10 R11 R12 R13 R14 R15 R16 R17 R18 R21 R22 R23 R24 R25 R26 R27 R28 R29 R30
    R31 R33 R34 R35 R36 R37 R38 R41 R42 R43 R44 R45 R46 R47 R48 R49 R50 R51 R52 R53 R54 R56 R59 R63 R64
    S01 S03 S04 S05 S06 S07 S08 S09 S10 S12 S16 S17 S18 S19 S20 S21 S22 S23 S24 S25 S26 S27 S29 S30 S32 S33 S34
    S37 S38 S39 S40 S41
    L01 L02 L03 L04 L05 L06 L07 L09 L10
""")

ADAPTER = cases("""
    R02 R03 R04 R07 R11 R12 R13 R15 R16 R21 R22 R23 R24 R25 R26 R28 R30 R31 R32 R33 R34 R40 R41 R44 R45 R46 R50
    R51 R52 R65
    S04 S05 S08 S20 S22 S23 S34 S38 S39 S41
    L06
""")

# Proved by a test of the built image, where a table of cases would say less than the test's name.
IMAGE = {
    "L01": "test_container.py::test_a_function_writes_nowhere_else",
    "L08": "test_container_contents.py::test_each_file_can_be_read_by_whoever_runs_the_image",
}

OPEN_AT_THE_EDGE = cases("""
    R19 R20 R39 R55 R57 R58 R60 R61 R62
    S02 S11 S13 S14 S15 S28 S31 S35 S36
""")
