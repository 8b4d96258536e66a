"""What each stage of a run takes, beside what the machine needs at least for the bytes that the stage cannot do without."""
import json
import os
import sqlite3
import subprocess
import time


def tree_size(path):
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)


def rates(program, image):
    """Megabytes a CPU second of the plain operations, by tests/bench/limits."""
    out = subprocess.run([program, image], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {name: float(rate) for name, rate in (line.split() for line in out.splitlines())}


def volumes(case):
    """Megabytes that the stages had to do with."""
    database = sqlite3.connect('file:%s?mode=ro' % os.path.join(case, 'case.db'), uri=True)

    def one(query):
        return (database.execute(query).fetchone()[0] or 0) / 1e6

    outputs = sum(os.path.getsize(os.path.join(case, name)) for name in os.listdir(case)
                  if os.path.isfile(os.path.join(case, name)) and name not in ('case.db', 'SHA256SUMS', 'log.txt', 'run.json'))
    return {
        'mft': one("SELECT max(bytes) FROM coverage WHERE artifact = 'mft_times'"),
        'read': one('SELECT sum(bytes) FROM (SELECT DISTINCT evidence, volume, snapshot, path, bytes FROM coverage)'),
        'copied': one("SELECT sum(size) FROM file WHERE stored <> ''"),
        'database': os.path.getsize(os.path.join(case, 'case.db')) / 1e6,
        'outputs': outputs / 1e6,
    }


def rows(case, rate, whole):
    """(stage, wall, CPU, limit, what the limit is made of); `whole` is the run as the shell saw it."""
    with open(os.path.join(case, 'run.json'), encoding='utf-8') as file:
        stages = {stage['stage']: (stage['milliseconds'] / 1e3, stage['cpu_milliseconds'] / 1e3)
                  for stage in json.load(file)['stages']}
    size = volumes(case)
    limits = {
        'start': (0, 'nothing'),
        'survey': (size['mft'] / rate['inflate'], 'inflate $MFT (%.0f MB)' % size['mft']),
        'parse': (size['read'] * (1 / rate['inflate'] + 1 / rate['lines']),
                  'inflate what is read (%.0f MB) and count its lines' % size['read']),
        'copy': (size['copied'] * (1 / rate['inflate'] + 1 / rate['digests'] + 1 / rate['memcpy']),
                 'inflate what is copied (%.0f MB), three digests, memcpy' % size['copied']),
        'findings': (2 * size['database'] / rate['memcpy'], 'memcpy of case.db (%.0f MB), twice' % size['database']),
        'outputs': ((size['outputs'] + size['database']) / rate['memcpy'],
                    'memcpy of case.db and of the outputs (%.0f MB)' % size['outputs']),
        'sums': ((size['outputs'] + size['database']) / rate['sha256'], 'sha256sum of them'),
    }
    wall, cpu = (whole[i] - sum(stage[i] for stage in stages.values()) for i in (0, 1))
    stages['sums'] = (max(wall, 0), max(cpu, 0))
    return [(name,) + stages[name] + limits.get(name, (0, '')) for name in stages]


def bench(program, limits, image, case, timed):
    """Prints the table of one run."""
    rate = rates(limits, image)
    command = "'%s' run '%s' -o '%s' -q" % (program, image, case)
    whole = timed(command)
    table = rows(case, rate, whole)
    print('# MB a CPU second: ' + ', '.join('%s %.0f' % pair for pair in rate.items()))
    print('%-10s %8s %8s %7s %9s   %s' % ('stage', 'wall s', 'CPU s', 'share', 'limit s', 'of the limit'))
    for name, wall, cpu, limit, what in table:
        print('%-10s %8.2f %8.2f %6.0f%% %9.2f   %s' % (name, wall, cpu, 100 * cpu / max(whole[1], 0.01), limit, what))
    print('%-10s %8.2f %8.2f %6.0f%% %9.2f' % ('all', whole[0], whole[1], 100, sum(row[3] for row in table)))
    return 'stages of a run on the image: %s' % ', '.join(
        '%s %.2f (%.2f)' % (name, cpu, limit) for name, _, cpu, limit, _ in table), command
