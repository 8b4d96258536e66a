#!/usr/bin/env python3
"""TAP: a BitLocker volume, built by fixtures/builders/bitlocker.py, with each of its keys, with none, with wrong ones and damaged.
Skipped without libbde, openssl or ntfs-3g."""
import csv
import hashlib
import os
import shutil
import struct
import subprocess
import sys

from tap import plan, result, skip_all

sys.dont_write_bytecode = True
BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORK = os.path.join(BUILD, 'tests', 'bitlocker-work')
sys.path.insert(0, os.path.join(SOURCE, 'fixtures', 'builders'))
import bitlocker  # noqa: E402

SIZE, CONTENT = 16 << 20, bytes(range(256)) * 1500
PASSWORD, RECOVERY = ['--password', bitlocker.PASSWORD], ['--recovery-key', bitlocker.RECOVERY_KEY]
WRONG = '000011-000022-000033-000044-000055-000066-000077-000088'
GUIDS = ('{A1A1A1A1-', '{B2B2B2B2-', '{C3C3C3C3-')


def path(name):
    return os.path.join(WORK, name)


def call(*arguments):
    done = subprocess.run([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    return done.returncode, done.stdout


def extract(image, *options):
    """Exit code, MD5 of the file within."""
    shutil.rmtree(path('case'), ignore_errors=True)
    code, text = call('extract', image, '-o', path('case'), '--path', '*.bin', '-q', *options)
    table = path('case/files.csv')
    if not os.path.exists(table):
        return code, text
    with open(table, encoding='utf-8', newline='') as file:
        return code, [row['md5'] for row in csv.DictReader(file) if row['path'].endswith('content.bin')]


def in_case(text):
    """Files of the case that hold the text."""
    found = []
    for top, _, names in os.walk(path('case')):
        for name in names:
            with open(os.path.join(top, name), 'rb') as file:
                if text.encode() in file.read():
                    found.append(name)
    return found


def write(name, data):
    with open(path(name), 'wb') as file:
        file.write(data)
    return path(name)


def make():
    plain, content = path('plain.raw'), write('content.bin', CONTENT)
    write('plain.raw', bytes(SIZE))
    for command in (['mkntfs', '-F', '-Q', '-q', '-L', 'INNER', plain], ['ntfscp', plain, content, 'content.bin']):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    bitlocker.main(plain, path('volume.raw'))
    return path('volume.raw')


def partitioned(volume):
    """The volume behind a partition table, at 1 MiB."""
    sector = bytearray(512)
    sector[446:462] = struct.pack('<B3sB3sII', 0, b'\0\x02\0', 7, b'\xff\xff\xff', 2048, len(volume) // 512)
    sector[510:] = b'\x55\xaa'
    return bytes(sector).ljust(1 << 20, b'\0') + volume


def check_keys(image):
    right = 0, [hashlib.md5(CONTENT).hexdigest()]
    for name, key in (('the password', PASSWORD), ('the recovery key', RECOVERY), ('the startup key', ['--bek', image + '.bek'])):
        result(extract(image, *key) == right, '%s opens it' % name)
    result(extract(image, *PASSWORD, *RECOVERY, '--jobs', '4') == right, 'several keys and workers give the same')
    result(extract(image, '--jobs', '0', *RECOVERY) == right, 'so does one process')
    result(extract(image, '--password', 'wrong', *RECOVERY) == right, 'one right key among wrong ones is enough')
    result(not in_case('correct horse') and not in_case(bitlocker.RECOVERY_KEY), 'no key is in the case')
    shutil.rmtree(path('case'), ignore_errors=True)
    call('run', image, '-o', path('case'), '-q', *RECOVERY, '--password=' + bitlocker.PASSWORD)
    with open(path('case/run.json'), encoding='utf-8') as file:
        text = file.read()
    result('--recovery-key' in text and not in_case('correct horse') and not in_case(bitlocker.RECOVERY_KEY),
           'run.json has the options without the keys', text)
    code, text = call('info', image, *PASSWORD)
    result(code == 0 and 'NTFS "INNER"' in text and 'AES-128-XTS' in text, 'info says what it is', text)


def check_wrong_keys(image):
    code, text = call('info', image)
    result(code == 3 and 'no key was given' in text and all(guid in text for guid in GUIDS),
           'without a key its protectors are named', text)
    for name, key in (('a wrong password', ['--password', 'wrong']), ('a wrong recovery key', ['--recovery-key', WRONG]),
                      ('what is no recovery key', ['--recovery-key', 'x' * 400]), ('a file that is no key', ['--bek', PROGRAM])):
        code, text = call('info', image, *key)
        result(code == 3 and 'the given key does not open it' in text and GUIDS[0] in text, name + ' is told', text)
    code, text = call('info', image, '--bek', path('none'))
    result(code == 1 and "key file" in text, 'a key file that is not there is an error', text)


def check_places(volume):
    right = 0, [hashlib.md5(CONTENT).hexdigest()]
    image = write('disk.raw', partitioned(volume))
    result(extract(image, *RECOVERY) == right, 'a volume in a partition is read')
    fat = path('fat.raw')
    if shutil.which('mkfs.fat'):
        write('fat.raw', bytes(SIZE))
        subprocess.run(['mkfs.fat', '-n', 'INNERFAT', fat], check=True, stdout=subprocess.DEVNULL)
        bitlocker.main(fat, path('fat-locked.raw'))
        code, text = call('info', path('fat-locked.raw'), *RECOVERY)
        result(code == 0 and 'FAT16' in text or code == 3 and 'is not NTFS' in text,
               'FAT is read, or libbde is said to open NTFS only', text)


def check_damage(volume):
    right = 0, [hashlib.md5(CONTENT).hexdigest()]
    places = struct.unpack_from('<3Q', volume, 176)
    damaged = bytearray(volume)
    damaged[places[0]:places[0] + 4096] = b'\xff' * 4096
    code, found = extract(write('damaged.raw', bytes(damaged)), *RECOVERY)
    result((code, found) == right or code == 3, 'the first metadata block is lost: read by its copy, or told', (code, found))
    for place in places:
        damaged[place:place + 4096] = b'\xff' * 4096
    code, text = call('info', write('damaged.raw', bytes(damaged)), *RECOVERY)
    result(code == 3 and 'it is encrypted with BitLocker: ' in text, 'all metadata is lost: told', text)
    for name, at in (('an entry is larger than its block', places[0] + 112), ('the metadata is larger than its block', places[0] + 64)):
        damaged = bytearray(volume)
        for place in places:
            damaged[at - places[0] + place:at - places[0] + place + 4] = b'\xff' * 4
        code, text = call('info', write('damaged.raw', bytes(damaged)), *RECOVERY)
        result(code in (0, 3) and 'BitLocker' in text, name + ': no crash of the program', (code, text))
    code, text = call('info', write('damaged.raw', volume[:SIZE // 2]), *RECOVERY)
    result(code == 3 and 'BitLocker' in text or 'cut short' in text, 'the volume is cut short: told', (code, text))


def leave(why):
    skip_all(why)
    sys.exit(0)


if not os.path.exists(os.path.join(BUILD, 'helpers', 'bitlocker')):
    leave('built without libbde')
for tool in ('openssl', 'mkntfs', 'ntfscp'):
    if not shutil.which(tool):
        leave('no ' + tool)
shutil.rmtree(WORK, ignore_errors=True)
os.makedirs(WORK)
locked = make()
check_keys(locked)
check_wrong_keys(locked)
with open(locked, 'rb') as locked_file:
    locked_bytes = locked_file.read()
check_places(locked_bytes)
check_damage(locked_bytes)
shutil.rmtree(WORK, ignore_errors=True)
sys.exit(plan())
