"""plot.py PLOT.svg RUN.csv...: new users and lost messages over a day of strangers at full speed.

The runs are those of tests/tests/api/strangers.rs, with OTP_STRANGER_HOURS=24.
"""

import csv
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

target, *runs = sys.argv[1:]
plt.rcParams.update({"svg.hashsalt": "strangers", "svg.fonttype": "none", "font.size": 9})
figure, (users, lost) = plt.subplots(2, sharex=True, figsize=(8, 6))
for run in sorted(runs):
    name = pathlib.Path(run).stem.replace("-", " ") + " networks"
    with open(run) as file:
        rows = list(csv.DictReader(file))
    hours = [int(row["minute"]) / 60 for row in rows]
    users.plot(hours, [int(row["waiting"]) for row in rows], label=name, linewidth=1)
    lost.plot(hours, [int(row["lost"]) for row in rows], label=name, linewidth=1)
users.set_ylabel("new users who wait")
users.set_ylim(bottom=0)
users.legend(loc="upper left", fontsize=7)
lost.set_ylabel("messages to attackers")
lost.set_ylim(bottom=0)
lost.set_xlabel("hours")
figure.tight_layout()
figure.savefig(target, metadata={"Date": None})
