#!/usr/bin/env python3
"""TAP: each golden case as folder evidence, compared with its `expected`, and the same with any --jobs and without the prefilter.

tests/golden/CASE/tree is the evidence, kept as text that git can show. Endings of names say what to make of a file:
    .escaped    \\xHH stands for that byte, \\xHH*N for N of them
    .crlf       lines end in CR LF
    .utf16      UTF-16LE with a byte order mark
    .wmi        OBJECTS.DATA, from the lines that fixtures/builders/wmi.py takes
    .detection, .quarantine  files of Defender, by fixtures/builders/defender.py
    .pe         a program, from the lines that fixtures/builders/pe.py takes
    .prefetch .link .jumplist .recycled   what programs and users left, in the notation of fixtures/builders/traces.py
    .hive       a registry hive, in the notation of fixtures/builders/hive.py and hive_damage.py
    .records    a classic event log, in that of evt.py; .bits: qmgr0.dat (bits.py); .ese: an ESE database, .qmgr: qmgr.db (ese.py)
A file `needs` beside tree names helper programs without which the case is skipped.
UPDATE=1 writes `expected` again: read the diff then. A name of a case as an argument runs that case alone.
"""
import difflib
import json
import os
import re
import shutil
import subprocess
import sys

from tap import BRIEF, plan, result

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'fixtures', 'builders'))
import bits  # noqa: E402
import ese  # noqa: E402
import evt  # noqa: E402
import defender  # noqa: E402
import hive  # noqa: E402
import hive_damage  # noqa: E402
import pe  # noqa: E402
import traces  # noqa: E402
import wmi  # noqa: E402

BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
GOLDEN = os.path.join(HERE, 'golden')
WORK = os.path.join(BUILD, 'tests', 'golden-work')
MODIFIED = 1614816000  # every file of the evidence, so that listings are the same everywhere
VARIANTS = (('--jobs', '1'), ('--jobs', '4'), ('--jobs', '1', '--no-prefilter'), ('--jobs', '0', '--no-prefilter'))
if BRIEF:  # what workers, the wire and a run without prefilter have of their own, in one
    VARIANTS = (('--jobs', '2', '--no-prefilter'),)
VOLATILE = {'run.json', 'log.txt', 'SHA256SUMS', 'case.db'}


def expand(data):
    def run(match):
        return bytes([int(match[1], 16)]) * int(match[2] or 1)
    return re.sub(rb'\\x([0-9a-f]{2})(?:\*(\d+))?', run, data)


def hive_make(data):
    text = data.decode('utf-8')
    return hive_damage.hive_damage(text, hive.hive_build(text))


MAKES = {  # in the order in which they are done
    '.crlf': lambda data: data.replace(b'\n', b'\r\n'),
    '.escaped': expand,
    '.hive': hive_make,
    '.detection': lambda data: defender.history(data.decode('utf-8')),
    '.quarantine': lambda data: defender.quarantine(data.decode('utf-8')),
    '.wmi': lambda data: wmi.wmi_build(data.decode('utf-8')),
    '.pe': lambda data: pe.pe_text(data.decode('utf-8')),
    **{ending: lambda data, build=build: build(data.decode('utf-8')) for ending, build in traces.BUILDS.items()},
    '.records': lambda data: evt.evt_build(data.decode('utf-8')),
    '.bits': lambda data: bits.bits_build(data.decode('utf-8')),
    '.ese': lambda data: ese.ese_text_build(data.decode('utf-8')),
    '.qmgr': lambda data: ese.qmgr_text_build(data.decode('utf-8')),
    '.utf16': lambda data: b'\xff\xfe' + data.decode('utf-8').encode('utf-16-le'),
}


def file_make(source, target):
    with open(source, 'rb') as file:
        data = file.read()
    wanted = set()
    while os.path.splitext(target)[1] in MAKES:
        target, ending = os.path.splitext(target)
        wanted.add(ending)
    for ending, make in MAKES.items():
        if ending in wanted:
            data = make(data)
    with open(target, 'wb') as file:
        file.write(data)
    os.utime(target, (MODIFIED, MODIFIED))


def tree_make(source, target):
    """The evidence of a case; also what tests/fuzz/replay.sh takes as seeds."""
    shutil.rmtree(target, ignore_errors=True)
    for top, folders, names in os.walk(source):
        folders.sort()
        below = os.path.join(target, os.path.relpath(top, source))
        os.makedirs(below, exist_ok=True)
        for name in sorted(names):
            file_make(os.path.join(top, name), os.path.join(below, name))


def case_run(name, evidence, *options):
    case = os.path.join(WORK, name, 'case' + ''.join(options))
    shutil.rmtree(case, ignore_errors=True)
    run = subprocess.run([PROGRAM, 'run', evidence, '-o', case, *options], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, errors='replace', timeout=300)
    if not os.path.exists(os.path.join(case, 'coverage.json')):
        return case, run.returncode, run.stderr
    return case, run.returncode, ''


def lines_of(case, name):
    with open(os.path.join(case, name), encoding='utf-8') as file:
        return [json.loads(line) for line in file]


def line_text(line):
    fields = ' '.join('%s=%s' % (key, json.dumps(value, ensure_ascii=False)) for key, value in line['fields'].items())
    return '%s %s %s %s\n    %s line %s at %d%s\n    %s\n    %s' % (
        line.get('datetime') or '(undated)', line['level'], line['rule'], line['artifact'], line['path'], line['record'],
        line['offset'], ''.join(' [%s]' % line[key] for key in ('marks', 'how') if line[key]), line['message'], fields)


def summary(case, code):
    """The case as text in which a difference can be read."""
    with open(os.path.join(case, 'coverage.json'), encoding='utf-8') as file:
        coverage = json.load(file)
    out = ['exit code %d' % code, '', 'timeline']
    out += [line_text(line) for line in lines_of(case, 'timeline.jsonl')]
    out += ['', 'undated'] + [line_text(line) for line in lines_of(case, 'undated.jsonl')]
    out += ['', 'coverage']
    for entry in coverage['files']:
        out.append('%s %s: %d bytes, %d records = %d used + %d repaired + %d rejected, %d backward, %s to %s' % (
            entry['artifact'], entry['path'], entry['bytes'], entry['records'], entry['used'], entry['repaired'],
            entry['rejected'], entry['backward'], entry['first'] or '-', entry['last'] or '-'))
    out.append(' '.join('%s=%s' % total for total in coverage['totals'].items()))
    out += ['', 'not read'] + ['%s: %s' % (u['path'], u['why']) for u in coverage['unread']]
    out += ['', 'notices'] + ['%s at %d: %s' % (n['path'], n['offset'], n['why']) for n in coverage['notices']]
    return '\n'.join(out).replace('\x00', '\\0') + '\n'


def file_bytes(path):
    if not os.path.exists(path):
        return None
    with open(path, 'rb') as file:
        return file.read()


def different_files(first, second):
    names = sorted(set(os.listdir(first)) | set(os.listdir(second)))
    return [n for n in names if n not in VOLATILE and not os.path.isdir(os.path.join(first, n)) and
            file_bytes(os.path.join(first, n)) != file_bytes(os.path.join(second, n))]


def compare(name, text):
    path = os.path.join(GOLDEN, name, 'expected')
    if os.environ.get('UPDATE') == '1':
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
    if not os.path.exists(path):
        return result(False, name + ' has an expected result', 'UPDATE=1 make check writes it')
    with open(path, encoding='utf-8') as file:
        expected = file.read()
    if text != expected:
        detail = '\n'.join(difflib.unified_diff(expected.splitlines(), text.splitlines(), 'expected', 'found', lineterm=''))
        return result(False, name + ' gives what is expected', detail)
    return result(True, name + ' gives what is expected')


def missing_helper(name):
    needs = os.path.join(GOLDEN, name, 'needs')
    if not os.path.exists(needs):
        return ''
    with open(needs, encoding='utf-8') as file:
        return next((need for need in file.read().split() if not os.path.exists(os.path.join(BUILD, 'helpers', need))), '')


def check_case(name):
    missing = missing_helper(name)
    if missing:
        return result(True, '%s # SKIP no helper program %s' % (name, missing))
    evidence = os.path.join(WORK, name, 'evidence')
    tree_make(os.path.join(GOLDEN, name, 'tree'), evidence)
    case, code, problem = case_run(name, evidence, '--jobs', '0')
    if problem:
        return result(False, name + ' is read', problem)
    compare(name, summary(case, code))
    for options in VARIANTS:
        other, other_code, problem = case_run(name, evidence, *options)
        different = [problem] if problem else different_files(case, other)
        result(not different and code == other_code, '%s is the same with %s' % (name, ' '.join(options)),
               'exit codes %d and %d, different: %s' % (code, other_code, different))
    return None


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    for name in sys.argv[1:] or sorted(os.listdir(GOLDEN)):
        if os.path.isdir(os.path.join(GOLDEN, name, 'tree')):
            check_case(name)
    shutil.rmtree(WORK, ignore_errors=True)
    return plan()


if __name__ == '__main__':
    if sys.argv[1:2] == ['--make']:  # --make CASE OUT: only the evidence
        tree_make(os.path.join(GOLDEN, sys.argv[2], 'tree'), sys.argv[3])
    else:
        sys.exit(main())
