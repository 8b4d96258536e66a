#!/usr/bin/env python3
"""TAP: workers that lie on the wire (hostile/liar.c), and a kernel that has nothing to lock them in with
(hostile/old_kernel.c): the run goes on, says what happened, and loses nothing else."""
import json
import os
import shutil
import subprocess
import sys
import time

from tap import plan, result, skip

BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
LIAR = os.path.join(BUILD, 'tests', 'hostile', 'liar')
OLD_KERNEL = os.path.join(BUILD, 'tests', 'hostile', 'old_kernel')
WORK = os.path.join(BUILD, 'tests', 'hostile-work')

LOG = '''#Software: Microsoft Internet Information Services 10.0\r
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status\r
2021-03-03 04:00:00 192.0.2.1 POST /ecp/y.js - 443 - 203.0.113.9 python-requests/2.25 - 200\r
2021-03-03 04:00:01 192.0.2.1 GET /owa/ - 443 - 203.0.113.10 Mozilla/5.0 - 200\r
'''
BROKEN = 'a broken result'
# What the parent says of the file; None: the lie is harmless and the file is read.
LIES = {
    'bad length': BROKEN,
    'unterminated': 'nothing was heard',
    'foreign task': BROKEN,
    'no such task': BROKEN,
    'cannot start': BROKEN,
    'noise': BROKEN,
    'unknown kind': BROKEN,
    'cut short': BROKEN,
    'no text': None,
    'endless notices': BROKEN,
    'endless facts': BROKEN,
    'foreign path': 'it is not read',
    'unknown rule': BROKEN,
    'unknown event': BROKEN,
    'beyond the file': BROKEN,
    'endless damage': 'more than can come of this file',
    'no such blank': BROKEN,
    'false copy': None,
}
SECONDS = 300


def run(*command, lie=''):
    environment = dict(os.environ, LIE=lie)
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors='replace',
                          timeout=SECONDS, env=environment)


def lines_of(case):
    with open(os.path.join(case, 'timeline.jsonl'), encoding='utf-8') as file:
        return [json.loads(line) for line in file]


def coverage_of(case):
    with open(os.path.join(case, 'coverage.json'), encoding='utf-8') as file:
        return json.load(file)


def make_tree():
    shutil.rmtree(WORK, ignore_errors=True)
    tree = os.path.join(WORK, 'tree')
    os.makedirs(tree)
    for name in ('a.log', 'liar.log', 'z.log'):
        with open(os.path.join(tree, name), 'w', encoding='ascii', newline='') as file:
            file.write(LOG)
    return tree


def texts_of(case):
    """Every byte of every output that is text."""
    texts = b''
    for name in os.listdir(case):
        if name.endswith(('.jsonl', '.json', '.csv', '.html', '.txt')):
            with open(os.path.join(case, name), 'rb') as file:
                texts += file.read()
    return texts


def copies_of(case):
    """The content of each file that was copied, whatever it is called."""
    found = {}
    for parent, _, names in os.walk(os.path.join(case, 'files')):
        for name in names:
            with open(os.path.join(parent, name), 'rb') as file:
                found[name] = file.read()
    return found


def check_lie(lie, words, tree, honest):
    case = os.path.join(WORK, 'lie')
    begun = time.monotonic()
    done = run(LIAR, 'run', tree, '-o', case, '--clobber', '--jobs', '1', '--timeout', '8', lie=lie)
    took = time.monotonic() - begun
    if done.returncode not in (2, 3):
        result(False, lie, 'exit code %d after %.1f s\n%s' % (done.returncode, took, done.stderr[-1000:]))
        return
    unread = [u for u in coverage_of(case)['unread'] if u['path'].endswith('liar.log')]
    others = [l for l in lines_of(case) if not l['path'].endswith('liar.log')]
    if words is None:
        texts = texts_of(case).replace(b'\n', b'').replace(b'\r', b'').replace(b'\t', b'')
        ok = done.returncode == 2 and not unread and len(lines_of(case)) == len(honest) and \
            list(copies_of(case).values()) == [LOG.encode()] * 3 and \
            not any(byte < 32 for byte in texts) and texts.decode('utf-8') is not None and '\u202e' not in texts.decode('utf-8')
    else:
        ok = done.returncode == 3 and len(unread) == 1 and words in json.dumps(unread)
    wanted = [l['raw_sha256'] for l in honest if not l['path'].endswith('liar.log')]
    result(ok and [l['raw_sha256'] for l in others] == wanted, '%s: %s' % (lie, words or 'comes out harmless'),
           'exit code %d, %s\n%s' % (done.returncode, unread, done.stderr[-1000:]))


def check_left_out():
    """What is kept up to a number: how much more there was is told."""
    tree, case = os.path.join(WORK, 'damaged'), os.path.join(WORK, 'left')
    os.makedirs(tree)
    head, lines = LOG.split('2021', 1)[0], 12345
    with open(os.path.join(tree, 'x.log'), 'w', encoding='ascii', newline='') as file:
        file.write(head + 'no record\r\n' * lines)
    done = run(PROGRAM, 'run', tree, '-o', case)
    coverage = coverage_of(case)
    texts = [n['why'] for n in coverage['notices']]
    account = coverage['files'][0]
    result(account['rejected'] == lines and '%d rejected records of this file are not kept: the first 10000 are' % (lines - 10000) in texts,
           'what is not kept of a file is counted', '%d %s %s' % (done.returncode, account['rejected'], texts[-3:]))


def check_survey(tree):
    """A survey that lies is cut off there; the run goes on with what came before."""
    case = os.path.join(WORK, 'lie')
    done = run(LIAR, 'run', tree, '-o', case, '--clobber', '--jobs', '1', lie='foreign volume')
    result(done.returncode == 3 and BROKEN in json.dumps(coverage_of(case)['unread']),
           'a file on a volume that is not there ends the survey, and coverage.json tells',
           '%d\n%s' % (done.returncode, done.stderr[-1000:]))


def check_old_kernel(tree, honest):
    name = 'a kernel without seccomp and Landlock'
    case = os.path.join(WORK, 'old')
    if not os.path.exists(OLD_KERNEL):
        skip(name, 'not built')
        return
    done = run(OLD_KERNEL, PROGRAM, 'run', tree, '-o', case)
    if done.returncode == 77:
        skip(name, 'this kernel has no filters to build one with')
        return
    with open(os.path.join(case, 'run.json'), encoding='utf-8') as file:
        about = json.load(file)
    if 'sanitizer' in about['sandbox']:
        skip(name, 'sanitizers leave no sandbox to compare with')
        return
    result(done.returncode == 2 and [l['raw_sha256'] for l in lines_of(case)] == [l['raw_sha256'] for l in honest],
           name + ': all is found', '%d\n%s' % (done.returncode, done.stderr[-1000:]))
    result('not kept from system calls' in done.stderr or 'neither seccomp nor Landlock' in done.stderr,
           'a warning says so', done.stderr[-1000:])
    result(about['sandbox'] == 'memory limit only' and any('evidence' in n for n in about['warnings']), 'and run.json',
           about['sandbox'])


def main():
    tree = make_tree()
    case = os.path.join(WORK, 'honest')
    done = run(PROGRAM, 'run', tree, '-o', case)
    result(done.returncode == 2, 'the honest run', done.stderr[-1000:])
    honest = lines_of(case)
    result({l['path'].split('\\')[-1] for l in honest} == {'a.log', 'liar.log', 'z.log'}, 'finds something in each file')
    for lie, words in LIES.items():
        check_lie(lie, words, tree, honest)
    check_survey(tree)
    check_left_out()
    check_old_kernel(tree, honest)
    shutil.rmtree(WORK, ignore_errors=True)
    return plan()


if __name__ == '__main__':
    sys.exit(main())
