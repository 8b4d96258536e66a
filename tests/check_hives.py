#!/usr/bin/env python3
"""TAP: hives of real machines (EXTRIAGE_DATA: registry/): as many records as regfexport counts keys and values, with the
transaction logs applied where there are some. Skipped without them."""
import json
import lzma
import os
import shutil
import subprocess

from tap import plan, result, skip_all

BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
DATA = os.path.join(os.environ.get('EXTRIAGE_DATA', ''), 'registry')
WORK = os.path.join(BUILD, 'tests', 'hives-work')

# Name there: files, keys and values by regfexport. For the two with logs: of the hive that a replay by another program
# gave (without it the first has 2590 keys, the second 33123).
HIVES = {
    'NTUSER.DAT': (('regipy/transactions_NTUSER.DAT.xz', 'regipy/transactions_ntuser.dat.log1.xz',
                    'regipy/transactions_ntuser.dat.log2.xz'), 3105 + 4695),
    'SYSTEM': (('regipy/SYSTEM_B.xz', 'regipy/SYSTEM_B.LOG1.xz', 'regipy/SYSTEM_B.LOG2.xz'), 35595 + 78901),
    'Amcache.hve': (('regipy/amcache.hve.xz',), 2105 + 17539),
}


def put(sources, folder, name):
    for source, ending in zip(sources, ('', '.LOG1', '.LOG2')):
        with lzma.open(os.path.join(DATA, source)) as file, open(os.path.join(folder, name + ending), 'wb') as target:
            shutil.copyfileobj(file, target)


def records_of(case):
    """None of these hives has anything to recover, which would be counted too."""
    with open(os.path.join(case, 'coverage.json'), encoding='utf-8') as file:
        coverage = json.load(file)
    return {os.path.basename(entry['path'].replace('\\', '/')): entry['records'] for entry in coverage['files']}


def main():
    if not os.path.isdir(DATA):
        skip_all('EXTRIAGE_DATA has no registry/')
        return 0
    shutil.rmtree(WORK, ignore_errors=True)
    evidence, case = os.path.join(WORK, 'evidence'), os.path.join(WORK, 'case')
    os.makedirs(evidence)
    for name, (sources, _) in HIVES.items():
        put(sources, evidence, name)
    subprocess.run([PROGRAM, 'run', evidence, '-o', case, '-q'], stdout=subprocess.DEVNULL, timeout=300)
    records = records_of(case)
    for name, (_, wanted) in HIVES.items():
        result(records.get(name) == wanted, '%s has %d keys and values' % (name, wanted), records.get(name))
    return plan()


if __name__ == '__main__':
    raise SystemExit(main())
