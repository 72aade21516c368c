"""plot.py HISTORY.csv MEMORY.csv PLOT.svg: latency, errors and memory over a run."""

import csv
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

history, memory, target = sys.argv[1:]
with open(history) as file:
    rows = [row for row in csv.DictReader(file) if row["Name"] == "Aggregated"]
rows = [row for row in rows if row["95%"] != "N/A"]
start = int(rows[0]["Timestamp"])
minutes = [(int(row["Timestamp"]) - start) / 60 for row in rows]

with open(memory) as file:
    samples = list(csv.DictReader(file))

plt.rcParams.update({"svg.hashsalt": "load", "svg.fonttype": "none", "font.size": 9})
figure, (latency, rate, resident) = plt.subplots(3, sharex=True, figsize=(8, 7))
for name, label in [("50%", "median"), ("95%", "95 %"), ("99%", "99 %")]:
    latency.plot(minutes, [float(row[name]) for row in rows], label=label, linewidth=1)
latency.set_ylabel("latency, ms")
latency.set_ylim(bottom=0)
latency.legend(loc="upper right", ncols=3)
rate.plot(minutes, [float(row["Requests/s"]) for row in rows], label="requests", linewidth=1)
rate.plot(minutes, [float(row["Failures/s"]) for row in rows], label="failures", linewidth=1)
rate.set_ylabel("per second")
rate.set_ylim(bottom=0)
rate.legend(loc="upper right", ncols=2)
for name in [column for column in samples[0] if column != "timestamp"]:
    times = [(float(row["timestamp"]) - start) / 60 for row in samples]
    resident.plot(times, [float(row[name]) / 1024 for row in samples], label=name, linewidth=1)
resident.set_ylabel("memory of a process, MB")
resident.set_ylim(bottom=0)
resident.set_xlabel("minutes")
resident.legend(loc="lower right", ncols=2, fontsize=7)
figure.tight_layout()
figure.savefig(target, metadata={"Date": None})
