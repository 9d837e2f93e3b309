"""Days absent from school of 146 children (Aitkin, J R Stat Soc A 1978;141:195)."""

_CELLS = """
A M F0 SL 2 11 14
A M F0 AL 5 5 13 20 22
A M F1 SL 6 6 15
A M F1 AL 7 14
A M F2 SL 6 32 53 57
A M F2 AL 14 16 16 17 40 43 46
A M F3 AL 8 23 23 28 34 36 38
A F F0 SL 3
A F F0 AL 5 11 24 45
A F F1 SL 5 6 6 9 13 23 25 32 53 54
A F F1 AL 5 5 11 17 19
A F F2 SL 8 13 14 20 47 48 60 81
A F F2 AL 2
A F F3 AL 0 2 3 5 10 14 21 36 40
N M F0 SL 6 17 67
N M F0 AL 0 0 2 7 11 12
N M F1 SL 0 0 5 5 5 11 17
N M F1 AL 3 4
N M F2 SL 22 30 36
N M F2 AL 8 0 1 5 7 16 27
N M F3 AL 0 30 10 14 27 41 69
N F F0 SL 25
N F F0 AL 10 11 20 33
N F F1 SL 5 7 0 1 5 5 5 5 7 11 15
N F F1 AL 5 14 6 6 7 28
N F F2 SL 0 5 14 2 2 3 8 10 12
N F F2 AL 1
N F F3 AL 1 9 22 3 3 5 15 18 22 37
"""

NAMES = ("intercept", "EthN", "SexM", "AgeF1", "AgeF2", "AgeF3", "LrnSL")


def read_quine() -> tuple[list[int], list[list[float]]]:
    """Days, and the design matrix of Eth + Sex + Age + Lrn with R's treatment contrasts."""
    days: list[int] = []
    rows: list[list[float]] = []
    for line in _CELLS.split("\n"):
        if line:
            eth, sex, age, learner, *counts = line.split()
            row = [1.0, eth == "N", sex == "M", age == "F1", age == "F2", age == "F3", learner == "SL"]
            days += [int(count) for count in counts]
            rows += [[float(value) for value in row]] * len(counts)
    return days, rows
