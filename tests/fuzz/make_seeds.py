#!/usr/bin/env python3
"""Makes the seeds that cannot be kept as text: make_seeds.py OUT. One folder per target; what a tool is missing for is left out.

Hives, programs and images come from fixtures/builders, which share no code with the program.
"""
import os
import re
import shutil
import struct
import subprocess
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(SOURCE, 'fixtures', 'builders'), os.path.join(SOURCE, 'tests')]

import bits  # noqa: E402
import ese  # noqa: E402
import ewf  # noqa: E402
import hive  # noqa: E402
import pe  # noqa: E402
import run_golden  # noqa: E402

NTFS_SIZE = 2 << 20
PARTITION = '0f0e9d5a-442b-4a8e-93c7-6d0b1c2e3f42'


# Artifacts that read what a target of its own reads too.
ALSO = {'pe': ('pe_file',), 'hive': ('registry_hive',), 'mft': ('mft_times',),
        'xml': ('iis_config', 'iis_config_history', 'web_config', 'scheduled_task', 'transport_agent')}


def put(out, target, name, data):
    for folder in (target,) + ALSO.get(target, ()):
        os.makedirs(os.path.join(out, folder), exist_ok=True)
        with open(os.path.join(out, folder, name), 'wb') as file:
            file.write(data)


def hives(out):
    folder = os.path.join(SOURCE, 'fixtures', 'demo', 'hives')
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding='utf-8') as file:
            text = file.read().replace('partition {', 'partition ' + PARTITION + ' #{')
        built = hive.hive_build(re.sub('#{.*', '', text))
        put(out, 'hive', name.replace('.txt', ''), built)
        put(out, 'hive_log', name.replace('.txt', ''), hive_with_log(built))


def hive_with_log(built):
    """The hive as one that was not closed, and an older log that has its first sector."""
    base = bytearray(built[:512])
    base[4:12] = struct.pack('<II', 11, 10)
    log = bytearray(base)
    log[4:12] = struct.pack('<II', 11, 11)
    log[28:32] = struct.pack('<I', 1)
    for block in (base, log):
        total = 0
        for (word,) in struct.iter_unpack('<I', bytes(block[:508])):
            total ^= word
        block[508:512] = struct.pack('<I', total)
    bits = (len(built) - 4096) // 512
    log = bytes(log) + b'DIRT' + b'\x01'.ljust((bits + 7) // 8, b'\0')
    log = log.ljust((len(log) + 511) // 512 * 512, b'\0') + built[4096:4608]
    hive_ = bytes(base) + built[512:]
    return struct.pack('<II', len(hive_), len(log)) + hive_ + log


def small(out):
    owner = bytes((1, 4, 0, 0, 0, 0, 0, 5)) + struct.pack('<IIII', 21, 1, 2, 500)
    put(out, 'owners', 'one', struct.pack('<IIQIIIIII', 0x1234, 0x101, 0, 20 + 20 + len(owner), 0x80040001, 20, 0, 0, 0) + owner)
    with open(os.path.join(SOURCE, 'rules', 'exchange_builds.tsv'), 'rb') as file:
        put(out, 'exchange_builds', 'some', file.read()[:3000])
    packets = [b'\x05\x01\0\0\0row', b'\0\x01\0\0\0half', b'\x06\x01\0\0\0rest']
    put(out, 'channel', 'packets', b''.join(struct.pack('<H', len(packet)) + packet for packet in packets))


def queues(out):
    golden = os.path.join(SOURCE, 'tests', 'golden', 'helper_files', 'tree')
    for top, _, names in os.walk(golden):
        for name in names:
            make = {'.bits': bits.bits_build, '.qmgr': ese.qmgr_text_build}.get(os.path.splitext(name)[1])
            if make:
                with open(os.path.join(top, name), encoding='utf-8') as file:
                    put(out, 'bits_jobs', os.path.splitext(name)[0], make(file.read()))


def documents(out):
    folder = os.path.join(SOURCE, 'tests', 'fuzz', 'seeds', 'xml')
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), 'rb') as file:
            put(out, 'xml', name, file.read())


def usn_record(number, version, name, reason):
    """USN_RECORD_V2 and V3 of the Windows documentation (winioctl.h)."""
    text = name.encode('utf-16-le')
    references = (struct.pack('<QQ', 1 << 48 | 40 + number, 5 << 48 | 5) if version == 2 else
                  struct.pack('<QQQQ', 40 + number, 0, 5, 0))
    tail = struct.pack('<QQIIII', number * 96, 132592464000000000 + number, reason, 0, 0, 32)
    head_size = 8 + len(references) + len(tail) + 4
    size = -(-(head_size + len(text)) // 8) * 8
    record = struct.pack('<IHH', size, version, 0) + references + tail + struct.pack('<HH', len(text), head_size) + text
    return record.ljust(size, b'\0')


def journal(out):
    records = [usn_record(i, version, 'page%d.aspx' % i, reason) for i, (version, reason) in
               enumerate(((2, 0x100), (2, 0x80000102), (3, 0x1000), (2, 0x2000), (3, 0x80000200)))]
    put(out, 'usn_journal', 'records', b''.join(records))
    put(out, 'usn_journal', 'sparse', bytes(4096) + records[0] + bytes(4096 - len(records[0])) + records[1] + records[2])


def fixed_up(bytes_, at, sectors):
    """The last two bytes of each sector go into the update sequence at `at`."""
    block = bytearray(bytes_)
    block[at:at + 2] = b'\x34\x12'
    for i in range(1, sectors + 1):
        block[at + 2 * i:at + 2 * i + 2] = block[512 * i - 2:512 * i]
        block[512 * i - 2:512 * i] = b'\x34\x12'
    return bytes(block)


def log_file(out):
    """$LogFile: two pages of log records that hold change journal records."""
    content = b''.join(usn_record(i, 2, 'page%d.aspx' % i, 0x100) for i in range(1, 70)).ljust(2 * 4032, b'\0')
    pages = [fixed_up(b'RCRD' + struct.pack('<HH', 40, 9) + bytes(56) + content[i * 4032:(i + 1) * 4032], 40, 8) for i in (0, 1)]
    put(out, 'usn_carve', 'pages', b'RSTR'.ljust(4096, b'\0') + b''.join(pages))


def index_entry(number, name):
    text = name.encode('utf-16-le')
    key = struct.pack('<QQQQQQQIIBB', 5 << 48 | 5, *[132592464000000000 + number] * 4, 4096, 600, 0x22, 0, len(name), 1) + text
    size = -(-(16 + len(key)) // 8) * 8
    return (struct.pack('<QHHI', 3 << 48 | number, size, len(key), 0) + key).ljust(size, b'\0')


def remnants(out):
    """A folder's index and an $MFT entry, each with what was deleted in its slack."""
    used, slack = index_entry(60, 'web.config') + struct.pack('<QHHI', 0, 16, 0, 2), index_entry(61, 'shell.aspx')
    block = b'INDX' + struct.pack('<HHQQIIII', 40, 9, 0, 0, 40, 40 + len(used), 4072, 0) + bytes(24) + used + slack * 2
    put(out, 'i30_slack', 'block', fixed_up(block.ljust(4096, b'\0'), 40, 8))
    content = b'<%@ Page Language="Jscript" %> <%-- inert --%>'
    attribute = struct.pack('<IIBBHHHIHH', 0x80, 72, 0, 0, 0, 0, 1, len(content), 24, 0) + content.ljust(48, b'\0')
    record = b'FILE' + struct.pack('<HHQHHHHII', 48, 3, 0, 5, 1, 56, 1, 64, 1024) + bytes(24) + struct.pack('<Q', 0xFFFFFFFF)
    put(out, 'mft_slack', 'entry', fixed_up((record + slack + attribute).ljust(1024, b'\0'), 48, 2))


def tool(*command):
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False


def ntfs(work):
    """A small NTFS volume with two files; None without ntfs-3g's tools."""
    image, text = os.path.join(work, 'ntfs.raw'), os.path.join(work, 'u_ex210303.log')
    with open(image, 'wb') as file:
        file.truncate(NTFS_SIZE)
    with open(text, 'w', encoding='ascii') as file:
        file.write('#Fields: date time c-ip cs-uri-stem\n' + '2021-03-03 04:00:00 203.0.113.9 /ecp/y.js\n' * 200)
    if not tool('mkntfs', '-F', '-q', '-Q', '-s', '512', '-p', '0', '-H', '0', '-S', '0', image):
        return None
    tool('ntfscp', '-f', image, text, 'u_ex210303.log')
    tool('ntfscp', '-f', '-N', 'stream', image, text, 'u_ex210303.log')
    with open(image, 'rb') as file:
        return file.read()


def disk(volume):
    """A medium with a classic partition table and the volume behind it."""
    entry = bytes([0x80, 0, 1, 0, 7, 0, 1, 0]) + (2048).to_bytes(4, 'little') + (len(volume) // 512).to_bytes(4, 'little')
    table = bytes(440) + (0x1234ABCD).to_bytes(4, 'little') + bytes(2) + entry + bytes(48) + b'\x55\xaa'
    return table + bytes(2048 * 512 - 512) + volume


def images(out, work):
    # No ext4: libtsk hangs on a folder's wild size (found here); the pool ends such a worker, replay could not.
    volume = ntfs(work)
    if volume:
        start = int.from_bytes(volume[48:56], 'little') * int.from_bytes(volume[11:13], 'little') * volume[13]
        put(out, 'mft', 'table', volume[start:start + (96 << 10)])
        put(out, 'image', 'ntfs.raw', volume)
        put(out, 'image', 'disk.raw', disk(volume))
        with open(os.path.join(work, 'disk.raw'), 'wb') as file:
            file.write(disk(volume))
        os.makedirs(os.path.join(out, 'image'), exist_ok=True)
        ewf.ewf_write(os.path.join(work, 'disk.raw'), os.path.join(out, 'image', 'disk.E01'))


def golden(out):
    """The evidence of each golden case: seeds of the artifact whose name the case begins with."""
    for case in sorted(os.listdir(run_golden.GOLDEN)):
        tree = os.path.join(run_golden.GOLDEN, case, 'tree')
        if os.path.isdir(tree):
            run_golden.tree_make(tree, os.path.join(out, 'golden', case))


def main():
    out = sys.argv[1]
    shutil.rmtree(out, ignore_errors=True)
    work = os.path.join(out, 'work')
    os.makedirs(work)
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    hives(out)
    small(out)
    documents(out)
    journal(out)
    queues(out)
    log_file(out)
    remnants(out)
    put(out, 'pe', 'program.exe', pe.pe_build('15.1.2106.2', 'Exchange Setup', 'Microsoft Exchange', 'Contoso', 4096))
    images(out, work)
    golden(out)
    shutil.rmtree(work)


if __name__ == '__main__':
    main()
