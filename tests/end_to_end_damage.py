"""Damage, refusals and hostile names: a part of end_to_end.py, which builds the evidence."""
import collections
import json
import os
import shutil
import subprocess
import sys
import zipfile
import zlib

from program import CASES, PROGRAM, SOURCE, WORK, case_of, extriage, file_bytes, lines_of, read_json, same_files
from tap import result, skip


def broken(image, name, *what):
    out = os.path.join(WORK, 'broken', name)
    done = subprocess.run([sys.executable, '-B', os.path.join(SOURCE, 'fixtures', 'builders', 'break_e01.py'), image, out,
                           *what], stdout=subprocess.PIPE, text=True)
    result(done.returncode == 0, 'evidence with damage is made: ' + name)
    return os.path.join(out, os.path.basename(image)), done.stdout


def check_damage(case, image):
    whole = collections.Counter(json.dumps({k: l[k] for k in ('path', 'offset', 'rule', 'raw_sha256')}) for l in lines_of(case))
    # A chunk that a log of the web server lies in: damage that nothing reads is found by verify alone.
    medium = file_bytes(os.path.join(WORK, 'demo', 'raw', 'EXCH01.raw'))
    chunk = medium.find(b'2021-03-03 12:') // 32768
    for name, what in (('flipped chunk', ('flip', str(chunk))), ('missing segment', ('remove', '3')),
                       ('truncated set', ('truncate', '100000')), ('damaged table', ('table', '5000'))):
        evidence, _ = broken(image, name.replace(' ', '-'), *what)
        expect = 2 if name == 'damaged table' else 3
        other = case_of(name.replace(' ', '-'), evidence, expect=expect)
        lines = collections.Counter(json.dumps({k: l[k] for k in ('path', 'offset', 'rule', 'raw_sha256')})
                                    for l in lines_of(other))
        invented = list((lines - whole).elements())
        # A line that lies in a damaged part may be cut there; it must be marked.
        marked = {(l['path'], l['offset']) for l in lines_of(other) if 'damaged' in l['marks']}
        invented = [i for i in invented if (json.loads(i)['path'], json.loads(i)['offset']) not in marked]
        result(not invented, '%s: nothing is found that is not there' % name, '\n'.join(invented))
        ranges = read_json(other, 'coverage.json')['damage'][0]['ranges']
        if expect == 3:
            result(ranges, '%s: the damaged ranges are listed' % name)
            verify = extriage('verify', evidence)
            result(verify.returncode == 3 and 'FAILURE' in verify.stdout, '%s: verify fails and says so' % name,
                   '%d\n%s' % (verify.returncode, verify.stdout))
        else:
            result(lines == whole, '%s: the second table gives everything' % name, list((whole - lines).elements())[:5])


def check_much_damage(image):
    """Whichever worker meets it first: the account of damage is the same."""
    folder = os.path.join(WORK, 'broken', 'many')
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in os.listdir(os.path.dirname(image)):
        if name.startswith('EXCH01.E'):
            data = bytearray(file_bytes(os.path.join(os.path.dirname(image), name)))
            for at in range(400000, len(data) - 200000, 20000):
                data[at] ^= 0x55
            with open(os.path.join(folder, name), 'wb') as file:
                file.write(data)
    evidence = os.path.join(folder, 'EXCH01.E01')
    one = case_of('damage-one', evidence, '--jobs', '1', expect=3)
    three = case_of('damage-three', evidence, '--jobs', '3', expect=3)
    same_files('damage is told the same with any number of workers', one, three)


def check_verify(image):
    good = extriage('verify', image)
    result(good.returncode == 0 and 'SUCCESS' in good.stdout, 'verify succeeds on whole evidence', good.stdout)
    run = extriage('run', image, '-o', os.path.join(CASES, 'verified'), '--clobber', '--verify')
    result(run.returncode == 2 and 'SUCCESS' in run.stdout, 'run --verify does it in passing', run.stdout)
    last = sorted(n for n in os.listdir(os.path.dirname(image)) if n.startswith('EXCH01.E'))[-1]
    copy = os.path.join(WORK, 'other-hash')
    shutil.rmtree(copy, ignore_errors=True)
    os.makedirs(copy)
    for name in os.listdir(os.path.dirname(image)):
        if name.startswith('EXCH01.E'):
            shutil.copy(os.path.join(os.path.dirname(image), name), copy)
    change_stored_hashes(os.path.join(copy, last))
    wrong = extriage('verify', os.path.join(copy, 'EXCH01.E01'))
    result(wrong.returncode == 5, 'another stored hash gives exit code 5', '%d\n%s' % (wrong.returncode, wrong.stdout))


def change_stored_hashes(path):
    """Other bytes in the hash and digest sections, with checksums that fit."""
    data = bytearray(file_bytes(path))
    at = 13
    while at + 76 <= len(data):
        kind = bytes(data[at:at + 16]).rstrip(b'\0')
        following = int.from_bytes(data[at + 16:at + 24], 'little')
        if kind in (b'hash', b'digest'):
            size = 36 if kind == b'hash' else 80
            body = at + 76
            data[body] ^= 0xFF
            data[body + size - 4:body + size] = (zlib.adler32(bytes(data[body:body + size - 4]))).to_bytes(4, 'little')
        if following <= at:
            break
        at = following
    with open(path, 'wb') as file:
        file.write(data)


def check_refusals(case, image):
    empty = os.path.join(WORK, 'empty.E01')
    open(empty, 'wb').close()
    nothing = os.path.join(WORK, 'no-such-file.E01')
    target = os.path.join(CASES, 'refused')
    for name, evidence, words in (('an empty file', empty, 'empty'), ('a missing file', nothing, 'No such file')):
        run = extriage('run', evidence, '-o', target, '--clobber')
        result(run.returncode == 1 and words in run.stderr, '%s is refused with exit code 1' % name, run.stderr)
    packed = os.path.join(WORK, 'packed.zip')
    with zipfile.ZipFile(packed, 'w') as file:
        file.writestr('u_ex210303.log', '#Software: none\n')
    for name in ('made for it', 'there before'):
        own = os.path.join(CASES, 'refused-' + name.split()[0])
        shutil.rmtree(own, ignore_errors=True)
        if name == 'there before':
            os.makedirs(own)
        run = extriage('run', packed, '-o', own)
        result(run.returncode == 1 and 'ZIP archive' in run.stderr and '--resume' not in run.stderr,
               'refused evidence is said to be refused, and nothing to go on with', run.stderr)
        left = os.listdir(own) if os.path.isdir(own) else None
        result(left == ([] if name == 'there before' else None), 'and no case is left of it in a folder %s' % name, str(left))
    other = os.path.join(WORK, 'letter.txt')
    with open(other, 'w', encoding='utf-8') as file:
        file.write('Dear Sir or Madam,\n')
    run = extriage('run', other, '-o', target, '--clobber')
    result(run.returncode == 3 and 'no artifact knows' in json.dumps(read_json(target, 'coverage.json')['unread']),
           'a single file that is no artifact is not passed over in silence', '%d %s' % (run.returncode, run.stderr))
    if os.geteuid() == 0:
        skip('a folder without permission is refused', 'root may read everything')
    else:
        locked = os.path.join(WORK, 'locked')
        os.makedirs(locked, exist_ok=True)
        os.chmod(locked, 0)
        run = extriage('run', locked, '-o', target, '--clobber')
        result(run.returncode == 1 and 'ermission' in run.stderr, 'a folder without permission is refused', run.stderr)
    run = extriage('run', image, '-o', case)
    result(run.returncode == 1 and '--clobber' in run.stderr, 'a case is not overwritten unasked', run.stderr)
    for arguments in ((), ('run',), ('run', image), ('run', image, '-o', target, '--from', 'yesterday'),
                      ('run', image, '-o', target, '--no-such-option'), ('sing',)):
        run = extriage(*arguments)
        result(run.returncode == 1 and run.stderr, 'exit code 1 for: extriage ' + ' '.join(arguments[:1] + arguments[2:]))


def check_guards(image):
    beside = os.path.join(WORK, 'beside')
    shutil.rmtree(beside, ignore_errors=True)
    os.makedirs(os.path.join(beside, 'files'))
    precious = os.path.join(beside, 'files', 'notes.txt')
    with open(precious, 'w', encoding='utf-8') as file:
        file.write('not a case\n')
    run = extriage('run', image, '-o', beside, '--clobber')
    result(run.returncode == 1 and os.path.exists(precious), '--clobber spares a folder that holds no case', run.stderr)
    here = os.path.join(beside, 'EXCH01.E01')
    shutil.copy(image, here)
    run = extriage('run', here, '-o', beside, '--clobber')
    result(run.returncode == 1 and 'lies in the folder' in run.stderr, 'evidence and case are kept apart', run.stderr)
    run = extriage('run', beside, '-o', os.path.join(beside, 'case'))
    result(run.returncode == 1 and 'lies in the evidence' in run.stderr, 'no case is made in the evidence', run.stderr)
    out = os.path.join(CASES, 'image-in-folder')
    run = extriage('run', beside, '-o', out)
    result(run.returncode == 3 and 'a disk image in a folder' in json.dumps(read_json(out, 'coverage.json')['unread']),
           'an image in a folder is not passed over in silence', run.stderr)
    for name, arguments in (('an unknown output', ('--format', 'jsonl,nonsense')),
                            ('an empty span of time', ('--from', '2021-03-05', '--to', '2021-03-01'))):
        run = extriage('run', image, '-o', os.path.join(CASES, 'never'), *arguments)
        result(run.returncode == 1 and not os.path.exists(os.path.join(CASES, 'never')), '%s is refused' % name, run.stderr)
    if os.path.exists('/dev/full'):
        with open('/dev/full', 'w', encoding='utf-8') as full:
            code = subprocess.run([PROGRAM, 'info', image], stdout=full, stderr=subprocess.DEVNULL).returncode
        result(code == 1, 'output that cannot be written is told', code)


def check_hostile_names():
    tree = os.path.join(WORK, 'hostile')
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(os.path.join(tree, 'a'))
    body = b'#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time c-ip cs-method cs-uri-stem ' \
           b'cs-uri-query s-port cs-username cs(User-Agent) sc-status\r\n' \
           b'2021-03-03 04:00:00 203.0.113.9 POST /ecp/y.js - 443 - python-requests/2.25 200\r\n'
    names = [b'a/=cmd|x.log', b'a/new\nline.log', b'a/\x1b[31mred.log', b'a/\xff\xfe.log', b'a/COM1.log', b'a/...log', b'a/ .log']
    for name in names:
        with open(os.path.join(tree.encode(), name), 'wb') as file:
            file.write(body)
    os.symlink('/etc/passwd', os.path.join(tree, 'link.log'))
    os.symlink('..', os.path.join(tree, 'loop'))
    case = case_of('hostile', tree)
    result(len({l['path'] for l in lines_of(case)}) == len(names), 'files with hostile names are all read')
    run = extriage('run', tree, '-o', case, '--clobber')
    result('\x1b' not in run.stdout + run.stderr, 'no control byte from evidence reaches the terminal')
    stored = [os.path.join(top, n) for top, _, found in os.walk(os.path.join(case, 'files')) for n in found]
    result(len(stored) == len(names) and not any(os.path.islink(s) for s in stored), 'and extracted under safe names', stored)
    with open(os.path.join(case, 'files.csv'), encoding='utf-8') as file:
        result(not any(line.startswith('"=') for line in file), 'no CSV cell begins a formula')
