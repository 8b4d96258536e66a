#!/usr/bin/env python3
"""TAP: shadow copies of a volume that nobody here wrote (EXTRIAGE_DATA: images/plaso/vsstest.qcow2), whole and damaged in
each way that matters: the live volume is always read. Skipped without the sample, qemu-img, or libvshadow."""
import json
import os
import shutil
import struct
import subprocess
import sys

from tap import has_sanitizers, plan, result, skip, skip_all

BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
SAMPLE = os.path.join(os.environ.get('EXTRIAGE_DATA', ''), 'images', 'plaso', 'vsstest.qcow2')
WORK = os.path.join(BUILD, 'tests', 'shadow-work')
IMAGE = os.path.join(WORK, 'vsstest.raw')
HEADER, CATALOG_FIELD, LIST_ENTRY, ENTRY_TYPES = 0x1E00, 48, 128, (2, 3)
BLOCK = 16384
# icat on the volumes that vshadowmount shows.
SYSLOG = '8b32710e60ce9f650b8b4dcc2b3ee927'
MFT = {1: 'fc31efbe5209a6187394de84a4a42fc2', 2: '59cb3ef039b5f79e43abeef7547dc4ca'}
LOGFILE = {1: 'e4469a582761f16b28e53163da473743', 2: '965c20ae33f8f393ea368b30d6592c3c'}
TIMES = ('2013-12-03T06:35:09.736378', '2013-12-03T06:37:48.919058')
LIVE_FILES = ('another_file', 'password.txt', 'syslog.gz')


def extract(image, vss, jobs='1'):
    """Exit code, {(snapshot, name): md5} of files.csv, coverage."""
    case = os.path.join(WORK, 'case')
    shutil.rmtree(case, ignore_errors=True)
    command = [PROGRAM, 'extract', image, '-o', case, '--vss', vss, '--jobs', jobs, '-q']
    for glob in ('*', '$Extend/**'):
        command += ['--path', glob]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    files = {}
    table = os.path.join(case, 'files.csv')
    if not os.path.exists(table):
        return done.returncode, files, {'unread': [], 'notices': [], 'output': done.stdout}
    import csv
    with open(table, encoding='utf-8', newline='') as file:
        for row in csv.DictReader(file):
            files[int(row['snapshot']), row['path'].rsplit('\\', 1)[-1]] = row
    with open(os.path.join(case, 'coverage.json'), encoding='utf-8') as file:
        return done.returncode, files, json.load(file)


def changed(name, edit):
    path = os.path.join(WORK, name)
    subprocess.run(['cp', '--sparse=always', IMAGE, path], check=True)
    with open(path, 'r+b') as file:
        edit(file)
    return path


def catalog(file):
    """Place of the catalog, and {(store, type): place of its entry}."""
    file.seek(HEADER + CATALOG_FIELD)
    place = struct.unpack('<Q', file.read(8))[0]
    file.seek(place)
    block = file.read(BLOCK)
    entries, store = {}, 0
    for at in range(LIST_ENTRY, BLOCK, LIST_ENTRY):
        kind = struct.unpack_from('<Q', block, at)[0]
        if kind in ENTRY_TYPES:
            store += kind == ENTRY_TYPES[0]
            entries[store, kind] = place + at
    return place, entries


def store_field(file, store, at):
    place = catalog(file)[1][store, 3]
    file.seek(place + at)
    return struct.unpack('<Q', file.read(8))[0]


def overwrite(file, place, data):
    file.seek(place)
    file.write(data)


def check_whole():
    text = subprocess.run([PROGRAM, 'info', IMAGE], stdout=subprocess.PIPE, text=True, timeout=120).stdout
    result(all('shadow copy %d of %s' % (i + 1, time) in text for i, time in enumerate(TIMES)),
           'info lists both copies with their times', text)
    code, files, coverage = extract(IMAGE, 'all')
    result(code == 0 and not coverage['unread'], 'both copies are read in full', coverage)
    result(files.get((1, 'syslog'), {}).get('md5') == SYSLOG, 'a file that is gone is there', files.keys())
    for copy in (1, 2):
        result(files.get((copy, '$MFT'), {}).get('md5') == MFT[copy], 'copy %d: $MFT as another tool reads it' % copy)
        result(files.get((copy, '$LogFile'), {}).get('md5') == LOGFILE[copy],
               'copy %d: $LogFile as another tool reads it' % copy)
    result((2, 'syslog.gz') not in files and (1, '$UpCase') not in files and (0, 'syslog.gz') in files,
           'what did not change is read once', files.keys())
    result('snapshot-1/' in files[1, 'syslog']['stored'] and 'snapshot' not in files[0, 'syslog.gz']['stored'],
           'each copy has a folder of its own', files[1, 'syslog'])
    result({k for k in extract(IMAGE, 'all', '0')[1]} == set(files), 'one process gives the same')
    result({k[0] for k in extract(IMAGE, '2')[1]} == {0, 2}, 'one copy can be chosen')
    code, files, coverage = extract(IMAGE, 'none')
    result({k[0] for k in files} == {0} and any('2 of its 2 shadow copies were not read' in n['why']
                                                for n in coverage['notices']),
           'without them a notice says that they are there', coverage['notices'])
    code, files, coverage = extract(IMAGE, '7')
    result(code in (0, 3) and {k[0] for k in files} == {0}, 'a copy that is not there is no copy', coverage)


def check_damaged(name, edit, told=True):
    image = changed('damaged.raw', edit)
    code, files, coverage = extract(image, 'all')
    live = {k[1] for k in files if k[0] == 0}
    result(set(LIVE_FILES) <= live, '%s: the live volume is read' % name, (code, live, coverage))
    if told:
        result(code == 3 and len(coverage['unread']) > 0, '%s: the loss is told' % name, (code, coverage['unread']))
    os.remove(image)


def check_all_damage():
    check_damaged('the catalog is nonsense', lambda f: overwrite(f, catalog(f)[0], b'\xff' * BLOCK))
    check_damaged('the catalog names itself as the next one',
                  lambda f: overwrite(f, catalog(f)[0] + 40, struct.pack('<Q', catalog(f)[0])), told=False)
    check_damaged('a store header is nonsense',
                  lambda f: overwrite(f, store_field(f, 1, 32), b'\xff' * BLOCK))
    check_damaged('a block list is nonsense',
                  lambda f: overwrite(f, store_field(f, 1, 8), b'\xff' * BLOCK))
    if has_sanitizers(PROGRAM):
        skip('a block list follows itself', 'without a ceiling of memory the library goes round until its time is over')
    else:
        check_damaged('a block list follows itself',
                      lambda f: overwrite(f, store_field(f, 1, 8) + 40, struct.pack('<Q', store_field(f, 1, 8))), told=False)
    check_damaged('a catalog entry points far away',
                  lambda f: overwrite(f, catalog(f)[1][2, 3] + 8, struct.pack('<Q', 1 << 60)))
    check_damaged('the volume is cut short', lambda f: f.truncate(700 << 20))


def leave(why):
    skip_all(why)
    sys.exit(0)


if not os.path.exists(SAMPLE):
    leave('no vsstest.qcow2')
if not shutil.which('qemu-img'):
    leave('no qemu-img')
if not os.path.exists(os.path.join(BUILD, 'helpers', 'shadow_copy')):
    leave('built without libvshadow')
shutil.rmtree(WORK, ignore_errors=True)
os.makedirs(WORK)
subprocess.run(['qemu-img', 'convert', '-O', 'raw', SAMPLE, IMAGE], check=True)
check_whole()
check_all_damage()
shutil.rmtree(WORK, ignore_errors=True)
sys.exit(plan())
