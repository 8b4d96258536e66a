#!/usr/bin/env python3
"""TAP: allocations that fail, one after the other (hostile/failing_memory.c): the program and each fuzz target end with a
message or a line of coverage, never with a crash, and what is told as complete is complete.

HOSTILE_STEPS: places per program (30); more by hand."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys

from tap import has_sanitizers, plan, result, skip_all

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
REPLAY = os.path.join(BUILD, 'tests', 'fuzz', 'replay')
WORK = os.path.join(BUILD, 'tests', 'memory-work')
LIBRARY = os.path.join(WORK, 'failing_memory.so')
STEPS = int(os.environ.get('HOSTILE_STEPS', '30'))
COUNTS = ('1', '3', '1000000')  # one, some, all from there on
RULE = '''title: a request for the test
id: 00000000-0000-4000-8000-000000000001
name: test
level: high
logsource: {category: webserver}
detection: {s: {cs-uri-stem|contains: /ecp/y.js}, condition: s}
'''
LOG = '''#Software: Microsoft Internet Information Services 10.0\r
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status\r
2021-03-03 04:00:00 192.0.2.1 POST /ecp/y.js - 443 - 203.0.113.9 python-requests/2.25 - 200\r
'''


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8', newline='') as file:
        file.write(text)


def run(command, at=0, count='1'):
    environment = dict(os.environ, LD_PRELOAD=LIBRARY, FAIL_REPORT=os.path.join(WORK, 'count') if not at else '',
                       EXTRIAGE_RULES=os.path.join(WORK, 'rules'), FAIL_AT=str(at), FAIL_COUNT=count)
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors='replace', timeout=300,
                              env=environment)
        return done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        return 'no end', ''


def allocations(command):
    done = run(command)
    with open(os.path.join(WORK, 'count'), encoding='ascii') as file:
        return done, int(file.read())


def places(count, steps, chance):
    """Early ones each, later ones by chance."""
    return sorted({*range(1, min(count, steps // 3)), *(chance.randrange(1, count + 1) for _ in range(steps))})


def rows_of(case):
    try:
        with open(os.path.join(case, 'timeline.jsonl'), encoding='utf-8') as file:
            return sum(1 for _ in file)
    except OSError:
        return -1


def losses(case):
    try:
        with open(os.path.join(case, 'coverage.json'), encoding='utf-8') as file:
            coverage = json.load(file)
        return [entry['why'] for entry in coverage['unread'] + coverage['notices'] if entry['path'] != '/']
    except (OSError, ValueError):
        return ['no coverage']


def program_problem(code, said, case, whole):
    """What is wrong with a run one of whose allocations failed."""
    if code == 'no end' or (isinstance(code, int) and code < 0):
        return 'it ended with %s' % code
    told = losses(case)
    crashed = [why for why in told if 'crashed' in why]
    if crashed:
        return 'a worker: %s' % crashed
    if code == 1:
        return '' if said.strip() else 'exit code 1 without a word'
    if code == 3:
        return '' if told or 'warning' in said else 'exit code 3 without a line of coverage'
    if rows_of(case) != whole and not told:
        return '%d rows instead of %d, and nothing is said' % (rows_of(case), whole)
    return ''


def check_program(jobs):
    tree, case = os.path.join(WORK, 'tree'), os.path.join(WORK, 'case')
    command = [PROGRAM, 'run', tree, '-o', case, '--clobber', '--jobs', jobs, '-q', '--timeout', '60']
    (code, said), count = allocations(command)
    whole = rows_of(case)
    chance = random.Random(jobs)
    problems = [] if code == 2 and whole == 1 else ['without a failure: %s %s' % (code, said)]
    tried = places(count, STEPS, chance)
    for at in tried:
        failing = COUNTS[chance.randrange(len(COUNTS))]
        code, said = run(command, at, failing)
        problem = program_problem(code, said, case, whole)
        if problem:
            problems.append('allocation %d, %s of them: %s %s' % (at, failing, problem, said[-200:]))
    result(not problems, 'extriage run --jobs %s, each of %d of its %d allocations fails' % (jobs, len(tried), count), '\n'.join(problems))


def seeds():
    """One of each target: the smallest."""
    top = os.path.join(SOURCE, 'tests', 'fuzz', 'seeds')
    for target in sorted(os.listdir(top)):
        found = [os.path.join(top, target, name) for name in sorted(os.listdir(os.path.join(top, target)))]
        found = [path for path in found if os.path.isfile(path)]
        if found:
            yield target, min(found, key=os.path.getsize)


def is_crash(code, said):
    """A promise that is not kept (demand) ends a target too: there each allocation counts."""
    return code == 'no end' or code in (-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL) or \
        (code == -signal.SIGABRT and any(word in said for word in ('malloc', 'free()', 'corrupt', 'smash')))


def check_targets():
    problems, tried, targets = [], 0, 0
    for target, seed in seeds():
        command = [REPLAY, '-n', '1', target, seed]
        (code, said), count = allocations(command)
        if code != 0:
            problems.append('%s: %s %s' % (target, code, said[-200:]))
            continue
        targets += 1
        chance = random.Random(target)
        for at in places(count, max(3, STEPS // 8), chance):
            tried += 1
            failing = COUNTS[chance.randrange(len(COUNTS))]
            code, said = run(command, at, failing)
            if is_crash(code, said):
                problems.append('%s, allocation %d, %s of them: %s %s' % (target, at, failing, code, said[-200:]))
    result(targets and not problems, '%d fuzz targets, %d failing allocations' % (targets, tried), '\n'.join(problems))


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.copytree(os.path.join(SOURCE, 'rules'), os.path.join(WORK, 'rules'), ignore=shutil.ignore_patterns('sigma', 'yara', 'indicators'))
    os.chmod(os.path.join(WORK, 'rules'), 0o755)  # a copy of what may be read only
    write(os.path.join(WORK, 'rules', 'sigma', 'test.yml'), RULE)
    write(os.path.join(WORK, 'tree', 'u_ex1.log'), LOG)
    built = subprocess.run((os.environ.get('CC') or 'cc').split() + ['-D_GNU_SOURCE', '-shared', '-fPIC', '-O1', '-o', LIBRARY, os.path.join(
        SOURCE, 'tests', 'hostile', 'failing_memory.c')], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if has_sanitizers(PROGRAM):
        skip_all('the allocator of the sanitizers cannot be replaced')
        return 0
    probe = run([PROGRAM, '--version']) if built.returncode == 0 else (1, built.stdout)
    if probe[0] != 0:
        skip_all('allocations cannot be made to fail here: %s' % probe[1].strip()[-100:].replace('\n', ' '))
        return 0
    check_program('1')
    check_program('0')
    check_targets()
    shutil.rmtree(WORK, ignore_errors=True)
    return plan()


if __name__ == '__main__':
    sys.exit(main())
