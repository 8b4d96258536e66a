"""Running a command and saying what it took: wall seconds, CPU seconds, peak MiB of its largest process."""
import os
import shutil
import statistics
import subprocess
import time

RECENT = 61  # so long ext4 passes over the place of a removed file when a new one is made, at a price
MANY = 1000  # files, of which that shows
removed = [0.0]  # when so many were removed last


def timed(command, work, cwd=None):
    report = os.path.join(work, 'time')
    started = time.monotonic()
    done = subprocess.run(['/usr/bin/time', '-f', '%U %S %M', '-o', report, 'sh', '-c', command],
                          cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors='replace')
    wall = time.monotonic() - started
    with open(report, encoding='utf-8') as file:
        user, system, memory = file.read().split('\n')[-2].split()
    if done.returncode not in (0, 2):
        print('# exit code %d: %s\n%s' % (done.returncode, command, done.stderr[-800:]), flush=True)
    return wall, float(user) + float(system), int(memory) / 1024


def remove(path):
    """Removes a tree, and remembers when that was when it was a large one."""
    count = 0
    for _, _, names in os.walk(path):
        count += len(names)
    shutil.rmtree(path, ignore_errors=True)
    if count > MANY:
        os.sync()
        removed[0] = time.monotonic()


def settle():
    """Nobody runs a program on a disk from which tens of thousands of files were just removed."""
    left = removed[0] + RECENT - time.monotonic()
    if removed[0] and left > 0:
        time.sleep(left)


class Trash:
    """Old outputs are put aside, and removed when nothing is measured."""

    def __init__(self, work):
        self.folder, self.count = os.path.join(work, 'trash'), 0

    def take(self, path):
        os.makedirs(self.folder, exist_ok=True)
        if os.path.exists(path):
            self.count += 1
            os.rename(path, os.path.join(self.folder, str(self.count)))

    def empty(self):
        remove(self.folder)


def median_of(command, work, before=None, runs=3):
    """Medians of `runs` after one to warm the page cache; what takes longer than a minute is run once."""
    results = []
    settle()
    for i in range(runs + 1):
        if before:
            before()
        result = timed(command, work)
        if i > 0 or result[0] > 60:
            results.append(result)
        if result[0] > 60:
            break
    return tuple(statistics.median(r[k] for r in results) for k in range(3))
