#!/usr/bin/env python3
"""TAP: logs that nobody here wrote (EXTRIAGE_DATA: iis/, exchange/): read in full, sums add up, no alarm. Skipped without them."""
import json
import os
import re
import shutil
import subprocess
import sys

from tap import plan, result, skip_all

BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
DATA = os.environ.get('EXTRIAGE_DATA', '')
CASE = os.path.join(BUILD, 'tests', 'samples-case')
LOUD = ('high', 'critical')
LOG = re.compile(r'\.(log|\d)$', re.IGNORECASE)
# Lines that are broken in the sample itself, as a person reading them agrees.
BROKEN = {}
# Samples of logs that no artifact reads yet, or that are no logs.
NOT_READ = re.compile(r'/pf\d|readme', re.IGNORECASE)


def samples():
    for kind in ('iis', os.path.join('exchange', 'artefacts.help'), os.path.join('exchange', 'elastic-beats')):
        for top, folders, names in os.walk(os.path.join(DATA, kind)):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(top, name)
                if LOG.search(name) and not NOT_READ.search(path):
                    yield path


def run(path):
    shutil.rmtree(CASE, ignore_errors=True)
    done = subprocess.run([PROGRAM, 'run', path, '-o', CASE, '--jobs', '0', '-q'], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', timeout=300)
    if not os.path.exists(os.path.join(CASE, 'coverage.json')):
        return done, None, []
    with open(os.path.join(CASE, 'coverage.json'), encoding='utf-8') as file:
        coverage = json.load(file)
    lines = []
    for name in ('timeline.jsonl', 'undated.jsonl'):
        with open(os.path.join(CASE, name), encoding='utf-8') as file:
            lines += [json.loads(line) for line in file]
    return done, coverage, lines


def lines_of_text(path):
    """Lines that are neither empty nor directives, as an independent count."""
    with open(path, 'rb') as file:
        data = file.read()
    return sum(1 for line in data.split(b'\n') if line.strip(b' \t\r\0') and not line.lstrip(b'\xef\xbb\xbf').startswith(b'#'))


def check(path):
    name = os.path.relpath(path, DATA)
    done, coverage, lines = run(path)
    if not coverage or len(coverage['files']) != 1:
        return result(False, name + ' is read', done.stdout)
    account = coverage['files'][0]
    wrong = []
    if account['records'] != account['used'] + account['repaired'] + account['rejected']:
        wrong.append('the sums do not add up')
    if account['records'] > lines_of_text(path) or account['records'] == 0:
        wrong.append('%d lines' % lines_of_text(path))
    if account['rejected'] > BROKEN.get(name, 0):
        wrong.append('rejected lines')
    loud = [line for line in lines if line['level'] in LOUD]
    wrong += ['%s: %s' % (line['rule'], line['message'][:200]) for line in loud]
    notices = ['%d: %s' % (n['offset'], n['why']) for n in coverage['notices']]
    return result(not wrong, '%s: %s, %d records' % (name, account['artifact'], account['records']),
                  '\n'.join(wrong + [json.dumps(account)] + notices))


def main():
    paths = list(samples()) if DATA else []
    if not paths:
        skip_all('there are no samples in EXTRIAGE_DATA')
        return 0
    for path in paths:
        check(path)
    shutil.rmtree(CASE, ignore_errors=True)
    return plan()


if __name__ == '__main__':
    sys.exit(main())
