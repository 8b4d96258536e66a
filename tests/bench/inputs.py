"""Large inputs for the figures, made of real chunks or by rule; each is made once and kept.

Nothing of them is in git: event logs are tiled from the samples beside the project (EXTRIAGE_DATA), hives, journals and
MFTs are built here.
"""
import array
import glob
import os
import struct
import subprocess
import zlib

CHUNK = 65536
NO_CELL = 0xFFFFFFFF
TIME = 132591168000000000  # 2021-03-01T00:00:00Z


def once(path, make):
    """Makes the file beside its place, so that one that is there is whole."""
    if not os.path.exists(path):
        print('# building %s' % path, flush=True)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + '.part', 'wb') as file:
            make(file)
        os.rename(path + '.part', path)
    return path


# --- event logs ---

def samples():
    data = os.environ.get('EXTRIAGE_DATA') or os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../../shared/data')
    return sorted(glob.glob(os.path.join(data, 'evtx', '**', '*.evtx'), recursive=True))


def has_samples():
    if not samples():
        print('# no samples of event logs: EXTRIAGE_DATA names the folder that has them below evtx/', flush=True)
    return bool(samples())


def readable_samples():
    """Those that evtxexport reads to their end: at a record that it cannot read it stops."""
    kept = []
    for path in samples():
        done = subprocess.run(['evtxexport', '-f', 'xml', path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if done.returncode == 0:
            kept.append(path)
    return kept


def sound_chunks(paths):
    """Chunks whose checksums are right."""
    for path in paths:
        with open(path, 'rb') as file:
            content = file.read()
        for at in range(4096, len(content) - CHUNK + 1, CHUNK):
            chunk = content[at:at + CHUNK]
            free, records = struct.unpack_from('<II', chunk, 48)
            if chunk[:8] == b'ElfChnk\0' and 512 <= free <= CHUNK and zlib.crc32(chunk[512:free]) == records:
                yield bytearray(chunk)


def record_places(chunk):
    at, free = 512, struct.unpack_from('<I', chunk, 48)[0]
    places = []
    while at + 24 <= free and chunk[at:at + 4] == b'**\0\0':
        places.append(at)
        at += max(24, struct.unpack_from('<I', chunk, at + 4)[0])
    return places


def without_definitions(xml, place):
    """Binary XML that names its templates and does not bring them along; None when it is no template or has arrays of XML."""
    if xml[:1] != b'\x0f' or xml[4:5] != b'\x0c':
        return None
    identifier, offset = struct.unpack_from('<II', xml, 6)
    at = 14
    if offset == place + at:
        at += 24 + struct.unpack_from('<I', xml, at + 20)[0]
    count = struct.unpack_from('<I', xml, at)[0]
    heads, at = at + 4, at + 4 + 4 * count
    sizes, values = b'', b''
    for i in range(count):
        size, kind = struct.unpack_from('<HH', xml, heads + 4 * i)
        one = xml[at:at + size]
        if kind == 0x21 and size:
            one = without_definitions(one, place + at)
            if one is None:
                return None
        sizes += struct.pack('<HH', len(one), kind)
        values += one
        at += size
    return xml[:4] + struct.pack('<BBIII', 0x0C, 1, identifier, offset, count) + sizes + values


def repeated(record, place):
    """The record as a later one of its chunk would be; None when it cannot be told again."""
    xml = without_definitions(record[24:-4], place + 24)
    if xml is None:
        return None
    size = (24 + len(xml) + 4 + 7) & ~7
    return (struct.pack('<4sI', b'**\0\0', size) + record[8:24] + xml).ljust(size - 4, b'\0') + struct.pack('<I', size)


def fill_chunk(chunk):
    """A chunk as full as those of a log that is in use: its own records again and again."""
    free, places = struct.unpack_from('<I', chunk, 48)[0], record_places(chunk)
    records = [repeated(bytes(chunk[at:at + struct.unpack_from('<I', chunk, at + 4)[0]]), at) for at in places]
    records = [record for record in records if record]
    chunk[free:] = bytes(CHUNK - free)
    for i in range(10000 if records else 0):
        record = records[i % len(records)]
        if free + len(record) > CHUNK:
            break
        chunk[free:free + len(record)] = record
        struct.pack_into('<II', chunk, 44, free, free + len(record))
        free += len(record)
    return chunk


def number_chunk(chunk, places, first):
    """Gives the chunk's records the numbers from `first` on, and it its checksums."""
    last = first + len(places) - 1
    struct.pack_into('<QQQQ', chunk, 8, first, last, first, last)
    for number, place in enumerate(places, first):
        struct.pack_into('<Q', chunk, place + 8, number)
    free = struct.unpack_from('<I', chunk, 48)[0]
    struct.pack_into('<I', chunk, 52, zlib.crc32(memoryview(chunk)[512:free]))
    struct.pack_into('<I', chunk, 124, zlib.crc32(chunk[128:512], zlib.crc32(chunk[:120])))


def event_log(size):
    """One log of about `size` bytes: the samples' sound chunks, filled, over and over."""
    def make(file):
        chunks = [fill_chunk(chunk) for chunk in sound_chunks(readable_samples()) if record_places(chunk)]
        chunks = [(chunk, record_places(chunk)) for chunk in chunks]
        count, number = size // CHUNK, 1
        file.write(bytes(4096))
        for i in range(count):
            chunk, places = chunks[i % len(chunks)]
            number_chunk(chunk, places, number)
            number += len(places)
            file.write(chunk)
        head = bytearray(4096)
        struct.pack_into('<8sQQQIHHHH', head, 0, b'ElfFile\0', 0, count - 1, number, 128, 1, 3, 4096, count & 0xFFFF)
        struct.pack_into('<I', head, 124, zlib.crc32(head[:120]))
        file.seek(0)
        file.write(head)
    return make


def copies_of_logs(folder, size):
    """A folder of copies of the samples, `size` bytes in all."""
    done = os.path.join(folder, 'done.txt')
    if os.path.exists(done):
        return folder
    os.makedirs(folder, exist_ok=True)
    paths, total, number = samples(), 0, 0
    while total < size:
        path = paths[number % len(paths)]
        with open(path, 'rb') as source, open(os.path.join(folder, '%05d-%s' % (number, os.path.basename(path))), 'wb') as copy:
            total += copy.write(source.read())
        number += 1
    with open(done, 'w', encoding='ascii') as file:
        file.write('%d files, %d bytes\n' % (number, total))
    return folder


# --- registry hives ---

KEYS, VALUES = 200, 8  # keys of a branch, values of each key


def cell(body):
    size = (len(body) + 4 + 7) & ~7
    return struct.pack('<i', -size) + body + bytes(size - 4 - len(body))


def key_body(name, flags, parent, subkeys, lists, values, value_list, security):
    return struct.pack('<2sHQIIIIIIIIIIIIIIIHH', b'nk', flags, TIME, 0, parent, subkeys, 0, lists, NO_CELL, values, value_list,
                       security, NO_CELL, 0, 0, 0, 0, 0, len(name), 0) + name


class Bin:
    """A bin of cells. `moved` are the places of offsets that count from the bin's start, a quarter each."""

    def __init__(self):
        self.bytes, self.moved = bytearray(32), []

    def add(self, body, *offsets):
        at = len(self.bytes)
        self.bytes += cell(body)
        self.moved += [(at + 4 + offset) // 4 for offset in offsets]
        return at

    def finish(self):
        rest = -len(self.bytes) % 4096
        if rest:
            self.bytes += struct.pack('<i', rest) + bytes(rest - 4)
        return self

    def at(self, place):
        """The bin's bytes when it lies at `place`."""
        words = array.array('I', bytes(self.bytes))
        for i in self.moved:
            words[i] += place
        words[0:8] = array.array('I', struct.pack('<4sIIQQI', b'hbin', place, len(self.bytes), 0, TIME, 0))
        return words.tobytes()


def value(into, i, j):
    name = ('Value%d' % j, 'InstallLocation', 'DisplayName', 'Version')[j % 4].encode()
    text = ('C:\\Program Files\\Component %d\\bin\\module%02d.dll\0' % (i, j)).encode('utf-16-le')
    kind, data = ((1, text), (4, b''), (3, bytes(range(40))), (2, text[:60] + bytes(2)))[j % 4]
    head = struct.pack('<2sH', b'vk', len(name))
    if not data:
        return into.add(head + struct.pack('<IIIHH', 0x80000004, i, kind, 1, 0) + name)
    return into.add(head + struct.pack('<IIIHH', len(data), into.add(data), kind, 1, 0) + name, 8)


def branch(number, parent):
    into, places = Bin(), []
    for i in range(KEYS):
        values = [value(into, i, j) for j in range(VALUES)]
        listed = into.add(struct.pack('<%dI' % VALUES, *values), *range(0, 4 * VALUES, 4))
        name = b'{%08X-0000-%04d}' % (zlib.crc32(b'%d' % (number * KEYS + i)), i)
        places.append((into.add(key_body(name, 0x20, 0, 0, NO_CELL, VALUES, listed, NO_CELL), 0x10, 0x28), name))
    listed = into.add(b'lf' + struct.pack('<H', KEYS) + b''.join(struct.pack('<I4s', at, name[:4]) for at, name in places),
                      *range(4, 4 + 8 * KEYS, 8))
    top = into.add(key_body(b'Branch', 0x20, parent, KEYS, listed, 0, NO_CELL, NO_CELL), 0x1C)
    for at, _ in places:
        struct.pack_into('<I', into.bytes, at + 4 + 0x10, top)
    return into.finish(), top


def hive(size):
    """A SOFTWARE-like hive of about `size` bytes: branches of KEYS keys."""
    def make(file):
        def root_of(tops):
            root = Bin()
            at = root.add(key_body(b'ROOT', 0x2C, NO_CELL, len(tops), 0, 0, NO_CELL, NO_CELL), 0x1C)
            listed = root.add(b'lf' + struct.pack('<H', len(tops)) + b''.join(struct.pack('<I4s', top, b'Bran') for top in tops))
            struct.pack_into('<I', root.bytes, at + 4 + 0x1C, listed)
            return root.finish()

        one, top = branch(0, 32)
        count = max(1, size // len(one.bytes))
        first = len(root_of([0] * count).bytes)
        root = root_of([first + i * len(one.bytes) + top for i in range(count)])
        head = bytearray(4096)
        struct.pack_into('<4sIIQIIIIII', head, 0, b'regf', 1, 1, TIME, 1, 5, 0, 1, 32, first + count * len(one.bytes))
        struct.pack_into('<I', head, 44, 1)
        head[48:48 + 16] = 'SOFTWARE'.encode('utf-16-le')
        total = 0
        for word in struct.unpack('<127I', head[:508]):
            total ^= word
        struct.pack_into('<I', head, 508, total)
        file.write(head)
        file.write(root.at(0))
        for i in range(count):
            file.write(one.at(first + i * len(one.bytes)))
    return make


# --- change journals and MFTs ---

def journal(size, sparse=0):
    """$J: `size` bytes of records of version 2 behind `sparse` bytes of nothing."""
    names = [('%s%06d.%s' % (stem, i, end)).encode('utf-16-le') for i, (stem, end) in
             enumerate([('u_ex', 'log'), ('HttpProxy_', 'LOG'), ('tmp', 'tmp'), ('App_Web_', 'dll'), ('page', 'aspx')] * 400)]

    def make(file):
        file.seek(sparse)
        at = sparse
        reasons = (0x100, 0x102, 0x80000102, 0x1000, 0x2000, 0x80000200)
        while at < sparse + size:
            page = bytearray()
            for i in range(40):
                name = names[(at // 4096 * 40 + i) % len(names)]
                length = (60 + len(name) + 7) & ~7
                if len(page) + length > 4096:
                    break
                record = struct.pack('<IHHQQQQIIIIHH', length, 2, 0, 0x1000000001234 + at % 50000, 0x1000000000321, at + len(page),
                                     TIME + at // 64, reasons[i % 6], 0, 0, 0x20, len(name), 60) + name
                page += record + bytes(length - len(record))
            file.write(page + bytes(4096 - len(page)))
            at += 4096
    return make


def attribute(kind, body, number):
    size = (24 + len(body) + 7) & ~7
    return struct.pack('<IIBBHHHIHBB', kind, size, 0, 0, 24, 0, number, len(body), 24, 0, 0) + body + bytes(size - 24 - len(body))


def mft_record(number):
    name = ('file-%07d.%s' % (number, ('txt', 'dll', 'aspx', 'log')[number % 4])).encode('utf-16-le')
    born = TIME + number * 12345
    times = struct.pack('<QQQQ', born, born + 5, born + 9, born + 7)
    parent = 5 << 48 | 5 if number < 1000 else 1 << 48 | (24 + number % 900)
    body = attribute(0x10, times + struct.pack('<IIIIIIQQ', 0x20, 0, 0, 0, 0, 0x100, 0, 0), 0)
    body += attribute(0x30, struct.pack('<Q', parent) + times + struct.pack('<QQIIBB', 4096, 10, 0x20, 0, len(name) // 2, 1) + name, 1)
    body += attribute(0x80, b'0123456789', 2)
    folder = 2 if number < 1000 else 0
    head = struct.pack('<4sHHQHHHHIIQHHI', b'FILE', 48, 3, 0, 1, 1, 56, 1 | folder, 56 + len(body) + 8, 1024, 0, 3, 0, number)
    record = bytearray((head + struct.pack('<HHHH', 1, 0, 0, 0) + body + b'\xff\xff\xff\xff').ljust(1024, b'\0'))
    for i in (510, 1022):
        record[48 + 2 * ((i + 2) // 512):50 + 2 * ((i + 2) // 512)] = record[i:i + 2]
        struct.pack_into('<H', record, i, 1)
    return record


def mft(size):
    def make(file):
        for number in range(size // 1024):
            file.write(mft_record(number))
    return make
