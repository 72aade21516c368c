"""memory.py ADDRESSES MEMORY.csv: the resident memory of each process, in KB, every second."""

import csv
import sys
import time

addresses, target = sys.argv[1:]
with open(addresses) as file:
    lines = [line.split() for line in file if line.startswith("process ")]
processes = {f"{name} ({n})": pid for n, (_, pid, name) in enumerate(lines, 1)}


def resident(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(line.split()[1] for line in file if line.startswith("VmRSS:"))


with open(target, "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["timestamp", *processes])
    while True:
        writer.writerow([f"{time.time():.0f}", *map(resident, processes.values())])
        file.flush()
        time.sleep(1)
