#!/usr/bin/env python3
"""Damages copies of the demonstration at places of fixed chance and runs the program over them.

    damage.py DEMO WORK [COUNT [SEED [FIRST]]]    DEMO: what make_demo.sh made; WORK: a folder to work in
    damage.py                                     TAP: twenty places of the demonstration, the first eight of them with sanitizers

No run may crash, hang, have a worker that died, say that all is clean, lose count of records or find what is not
there. What is found in the whole evidence is found in the damaged one, too, unless its file is named as damaged or
unread, or the damage concerns what leads to files: then at least something is said, with exit code 3.
"""
import collections
import json
import os
import random
import shutil
import subprocess
import sys

import tap

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', './extriage')
TIME_MOST = int(os.environ.get('DAMAGE_SECONDS', '300'))


def indicators_of(case):
    lines = []
    for name in ('timeline.jsonl', 'undated.jsonl'):
        with open(os.path.join(case, name), encoding='utf-8') as file:
            lines += [json.loads(line) for line in file]
    return lines


# Rests on other files than the one that it is about: on samples of Microsoft's pages.
DERIVED = {'WS-20'}


def key_of(line):
    """By the name alone: what tells drive letters and folders may be damaged."""
    name = line['path'].split('\\')[-1]
    return name, line['offset'], line['rule'], name if line['raw'] == line['path'] else line['raw_sha256']


def run(evidence, case):
    shutil.rmtree(case, ignore_errors=True)
    return subprocess.run([PROGRAM, 'run', evidence, '-o', case, '--jobs', '2', '-q', '--format', 'jsonl,undated,coverage,findings,host'], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors='replace', timeout=TIME_MOST)


def flip(data, chance):
    for _ in range(chance.choice((1, 1, 4, 30))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def zero(data, chance):
    start = chance.randrange(len(data))
    size = min(len(data) - start, chance.choice((512, 4096, 40000, 300000)))
    data[start:start + size] = bytes(size)


def cut(data, chance):
    del data[chance.randrange(len(data)):]


def drop(data, chance):
    """Some bytes are gone, as when a copy lost a block: all behind them stand elsewhere."""
    start = chance.randrange(len(data))
    del data[start:start + chance.choice((1, 512, 32768, 300000))]


def damage_set(demo, out, chance):
    """A copy of the E01 set with one damage; links for the segments that stay."""
    names = sorted(n for n in os.listdir(demo) if n.startswith('EXCH01.E'))
    hurt, how = chance.choice(names), chance.choice((flip, zero, cut, drop, None))
    for name in names:
        if name != hurt:
            os.symlink(os.path.abspath(os.path.join(demo, name)), os.path.join(out, name))
    if not how and hurt != names[0]:
        return os.path.join(out, names[0]), 'without ' + hurt
    how = how or flip
    with open(os.path.join(demo, hurt), 'rb') as file:
        data = bytearray(file.read())
    how(data, chance)
    with open(os.path.join(out, hurt), 'wb') as file:
        file.write(data)
    return os.path.join(out, names[0]), '%s %s' % (how.__name__, hurt)


def damage_medium(demo, out, chance):
    """A copy of the raw medium, hurt where something stands: nothing tells of damage but the content itself."""
    path = os.path.join(out, 'EXCH01.raw')
    shutil.copy(os.path.join(demo, 'raw', 'EXCH01.raw'), path)
    how, hurt = chance.choice((flip, flip, zero)), chance.choice((1, 20, 300))
    size = os.path.getsize(path)
    with open(path, 'r+b') as file:
        while hurt:
            at = chance.randrange(size // 4096) * 4096
            file.seek(at)
            block = bytearray(file.read(4096))
            if not any(block):
                continue
            how(block, chance)
            file.seek(at)
            file.write(block)
            hurt -= 1
    return path, how.__name__


def load(case, name):
    with open(os.path.join(case, name), encoding='utf-8') as file:
        return json.load(file)


def unexplained(lost, coverage):
    """Files of which something is lost though nothing is said of them, nor of what leads to files."""
    def names(entries):
        return {entry['path'].split('\\')[-1] for entry in entries}

    told = names(coverage['unread']) | names(f for f in coverage['files'] if f['damage']) | names(coverage['notices'])
    read = names(coverage['files'])
    leads = coverage['totals']['entries_unreadable'] or any(r for item in coverage['damage'] for r in item['ranges'])
    return sorted({key[0] for key in lost if key[0] not in told and not (leads and (key[0] not in read or key[2] in DERIVED))})


def problems_of(done, case, whole, host, is_set):
    if done.returncode == 1 and done.stderr.strip() and is_set:
        return []  # it cannot be opened, and says so
    if done.returncode not in (2, 3):
        return ['exit code %d: %s' % (done.returncode, done.stderr[-500:])]
    coverage = load(case, 'coverage.json')
    problems = ['%s: records are lost count of' % f['path'] for f in coverage['files']
                if f['records'] != f['used'] + f['repaired'] + f['rejected']]
    problems += ['a worker died: %s' % u for u in coverage['unread']
                 if 'worker' in json.dumps(u) or 'signal' in json.dumps(u)]
    verdict = load(case, 'findings.json')['verdict']
    if verdict['rung'] == 0 and (done.returncode != 3 or 'cannot be told' not in verdict['summary']):
        problems.append('it says that the server is clean')
    lines = indicators_of(case)
    found = collections.Counter(key_of(line) for line in lines)
    lost = whole - found
    if is_set:
        marked = {key_of(line)[:2] for line in lines if 'damaged' in line['marks'] or 'repaired' in line['marks']}
        problems += ['found what is not there: %s' % (key,) for key in found - whole if (key[0], key[1]) not in marked]
        if lost and done.returncode != 3:
            problems.append('%d indicators are lost and nothing is said: %s' % (sum(lost.values()), list(lost)[:3]))
        if load(case, 'host.json') == host:  # else what tells where things are is damaged
            problems += ['%s: indicators are lost, and nothing is said of the file' % name for name in unexplained(lost, coverage)]
    elif len(lost) > sum(whole.values()) // 2 and done.returncode != 3:
        problems.append('%d of %d indicators are lost' % (sum(lost.values()), sum(whole.values())))
    return problems


def damaged_runs(demo, work, count, seed, whole, first=0):
    """(name, problems) of each case."""
    host = load(os.path.join(work, 'whole'), 'host.json')
    for number in range(first, first + count):
        chance = random.Random('%d %d' % (seed, number))
        out, case = os.path.join(work, 'damaged'), os.path.join(work, 'case')
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        is_set = number % 5 != 4
        evidence, name = (damage_set if is_set else damage_medium)(demo, out, chance)
        name = '%d: %s' % (number, name)
        try:
            done = run(evidence, case)
        except subprocess.TimeoutExpired:
            yield name, ['it did not end within %d seconds' % TIME_MOST]
            continue
        yield '%s, exit code %d' % (name, done.returncode), problems_of(done, case, whole, host, is_set)


def whole_of(demo, work):
    case = os.path.join(work, 'whole')
    os.makedirs(work, exist_ok=True)
    run(os.path.join(demo, 'EXCH01.E01'), case)
    return collections.Counter(key_of(line) for line in indicators_of(case))


def check_some(count=8 if tap.BRIEF else 20, seed=3):
    work = os.path.join(BUILD, 'tests', 'damage-work')
    demo = os.path.join(work, 'demo')
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    made = subprocess.run([os.path.join(SOURCE, 'fixtures', 'make_demo.sh'), demo, '--formats', 'e01,raw'],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode == 77:
        tap.skip_all(made.stdout.strip().splitlines()[-1])
        return 0
    tap.result(made.returncode == 0, 'the demonstration evidence is built', made.stdout[-1500:])
    whole = whole_of(demo, work)
    for name, problems in damaged_runs(demo, work, count, seed, whole):
        tap.result(not problems, name, '\n'.join(problems))
    shutil.rmtree(work, ignore_errors=True)
    return tap.plan()


def main():
    if len(sys.argv) < 3:
        return check_some()
    demo, work = sys.argv[1:3]
    count, seed, first = [int(n) for n in sys.argv[3:6] + ['40', '1', '0'][len(sys.argv) - 3:]]
    whole, failed = whole_of(demo, work), 0
    for name, problems in damaged_runs(demo, work, count, seed, whole, first):
        print('%s %s' % ('not ok' if problems else 'ok', name), flush=True)
        for problem in problems[:10]:
            print('    ' + problem, flush=True)
        failed += bool(problems)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
