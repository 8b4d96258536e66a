#!/usr/bin/env python3
"""Damages copies of the demonstration at places of fixed chance and runs the program over them.

    damage.py DEMO WORK [COUNT [SEED]]    DEMO: what make_demo.sh made; WORK: a folder to work in

No run may crash, hang, have a worker that died, say that all is clean, lose count of records or find what is not
there. Prints one line for each case; end_to_end.py asks for a few of them.
"""
import collections
import json
import os
import random
import shutil
import subprocess
import sys

PROGRAM = os.environ.get('EXTRIAGE', './extriage')
TIME_MOST = int(os.environ.get('DAMAGE_SECONDS', '300'))


def indicators_of(case):
    lines = []
    for name in ('timeline.jsonl', 'undated.jsonl'):
        with open(os.path.join(case, name), encoding='utf-8') as file:
            lines += [json.loads(line) for line in file]
    return lines


def key_of(line):
    return line['path'], line['offset'], line['rule'], line['raw_sha256']


def run(evidence, case):
    shutil.rmtree(case, ignore_errors=True)
    return subprocess.run([PROGRAM, 'run', evidence, '-o', case, '--jobs', '2', '-q'], stdout=subprocess.PIPE,
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


def damage_set(demo, out, chance):
    """A copy of the E01 set with one damage; links for the segments that stay."""
    names = sorted(n for n in os.listdir(demo) if n.startswith('EXCH01.E'))
    hurt, how = chance.choice(names), chance.choice((flip, zero, cut))
    for name in names:
        if name != hurt:
            os.link(os.path.join(demo, name), os.path.join(out, name))
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


def problems_of(done, case, whole, is_set):
    if done.returncode == 1 and done.stderr.strip() and is_set:
        return []  # it cannot be opened, and says so
    if done.returncode not in (2, 3):
        return ['exit code %d: %s' % (done.returncode, done.stderr[-500:])]
    with open(os.path.join(case, 'coverage.json'), encoding='utf-8') as file:
        coverage = json.load(file)
    problems = ['%s: records are lost count of' % f['path'] for f in coverage['files']
                if f['records'] != f['used'] + f['repaired'] + f['rejected']]
    problems += ['a worker died: %s' % u for u in coverage['unread']
                 if 'worker' in json.dumps(u) or 'signal' in json.dumps(u)]
    lines = indicators_of(case)
    found = collections.Counter(key_of(line) for line in lines)
    lost = whole - found
    if is_set:
        marked = {(line['path'], line['offset']) for line in lines if 'damaged' in line['marks'] or 'repaired' in line['marks']}
        problems += ['found what is not there: %s' % (key,) for key in found - whole if (key[0], key[1]) not in marked]
        if lost and done.returncode != 3:
            problems.append('%d indicators are lost and nothing is said: %s' % (sum(lost.values()), list(lost)[:3]))
    elif len(lost) > sum(whole.values()) // 2:
        problems.append('%d of %d indicators are lost' % (sum(lost.values()), sum(whole.values())))
    return problems


def damaged_runs(demo, work, count, seed, whole):
    """(name, problems) of each case."""
    for number in range(count):
        chance = random.Random('%d %d' % (seed, number))
        out, case = os.path.join(work, 'damaged'), os.path.join(work, 'case')
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        is_set = number % 2 == 0
        evidence, name = (damage_set if is_set else damage_medium)(demo, out, chance)
        name = '%d: %s' % (number, name)
        try:
            done = run(evidence, case)
        except subprocess.TimeoutExpired:
            yield name, ['it did not end within %d seconds' % TIME_MOST]
            continue
        yield '%s, exit code %d' % (name, done.returncode), problems_of(done, case, whole, is_set)


def main():
    demo, work = sys.argv[1:3]
    count, seed = int((sys.argv[3:] or ['40'])[0]), int((sys.argv[4:] or ['1'])[0])
    case = os.path.join(work, 'whole')
    os.makedirs(work, exist_ok=True)
    run(os.path.join(demo, 'EXCH01.E01'), case)
    whole = collections.Counter(key_of(line) for line in indicators_of(case))
    failed = 0
    for name, problems in damaged_runs(demo, work, count, seed, whole):
        print('%s %s' % ('not ok' if problems else 'ok', name), flush=True)
        for problem in problems[:10]:
            print('    ' + problem, flush=True)
        failed += bool(problems)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
