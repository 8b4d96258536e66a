#!/usr/bin/env python3
"""TAP: evidence that is made to cost: holes of a terabyte, circles, entities, folders without end, rules that backtrack.

Each run has to end within some seconds of CPU time and some memory, say what it left out, and find what is there.
HOSTILE_FILES: files of the large folder (20,000; a million takes minutes)."""
import json
import os
import resource
import shutil
import struct
import subprocess
import sys

from tap import plan, result, skip

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
WORK = os.path.join(BUILD, 'tests', 'bombs-work')
FILES = int(os.environ.get('HOSTILE_FILES', '20000'))
CPU_SECONDS = 6
MEMORY_MIB = 700
TERABYTE = 1 << 40
BIRTH = '2021-03-01T00:00:00.0000000Z'
HEAD = '#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time s-ip cs-method cs-uri-stem ' \
       'cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status\r\n'
HIT = '2021-03-03 04:00:00 192.0.2.1 POST /ecp/%s.js - 443 - 203.0.113.9 python-requests/2.25 - 200\r\n'
slow = 1  # with a sanitizer all takes longer


def tool(name):
    return shutil.which(name, path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(text if isinstance(text, bytes) else text.encode())


class Run:
    def __init__(self, evidence, *options):
        self.case = os.path.join(WORK, 'case')
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            done = subprocess.run([PROGRAM, 'run', evidence, '-o', self.case, '--clobber', '--timeout', '60', *options],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors='replace', timeout=600)
            self.code, self.stderr = done.returncode, done.stderr
        except subprocess.TimeoutExpired:
            self.code, self.stderr = -1, 'it did not end'
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.memory = after.ru_maxrss >> 10  # the largest process so far

    def load(self, name):
        with open(os.path.join(self.case, name), encoding='utf-8') as file:
            return json.load(file)

    def found(self):
        with open(os.path.join(self.case, 'timeline.jsonl'), encoding='utf-8') as file:
            return [json.loads(line) for line in file]

    def told(self):
        coverage = self.load('coverage.json')
        return json.dumps(coverage['notices'] + coverage['unread'])

    def check(self, name, codes, *wanted, seconds=CPU_SECONDS, memory=MEMORY_MIB):
        cheap = self.seconds < seconds * slow and (slow > 1 or self.memory < memory)
        result(self.code in codes and cheap and all(wanted), name,
               'exit code %d, %.1f s, %d MiB, %s\n%s' % (self.code, self.seconds, self.memory, wanted, self.stderr[-800:]))


def check_holes_in_a_folder():
    tree = os.path.join(WORK, 'holes')
    path = os.path.join(tree, 'u_ex1.log')
    write(path, HEAD + HIT % 'first')
    with open(path, 'r+b') as file:
        try:
            file.truncate(TERABYTE)
        except OSError as error:
            skip('a log with a hole of a terabyte', error)
            return
        file.seek(TERABYTE)
        file.write(('\r\n' + HIT % 'last').encode())
    run = Run(tree)
    run.check('a log with a hole of a terabyte is read around it', (2,), 'no hash' in run.told(),
              {l['fields']['cs-uri-stem'] for l in run.found()} == {'/ecp/first.js', '/ecp/last.js'})


def ntfs(name, lines, contents, size='64M'):
    """An NTFS volume of a manifest (fixtures/ntfs_writer.c)."""
    writer = os.environ.get('NTFS_WRITER')
    if not writer:
        built = subprocess.run([os.path.join(SOURCE, 'fixtures', 'build_tool.sh'), 'ntfs_writer', os.path.join(WORK, 'tools')],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        writer = built.stdout.strip()
    mkntfs = tool('mkntfs')
    if not writer or not mkntfs:
        return None
    image, content = os.path.join(WORK, name + '.img'), os.path.join(WORK, name)
    for path, text in contents.items():
        write(os.path.join(content, path), text)
    write(os.path.join(WORK, name + '.manifest'), 'volume\t/\tbirth=%s\tserial=1\n' % BIRTH + ''.join(l + '\n' for l in lines))
    with open(image, 'wb') as file:
        file.truncate(int(size[:-1]) << 20)
    subprocess.run([mkntfs, '-F', '-Q', '-q', '-T', '-c', '4096', image], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run([writer, image, os.path.join(WORK, name + '.manifest'), content], check=True)
    return image


def check_holes_on_ntfs():
    names = 'NTFS: a log with a hole of a terabyte, and one that LZNT1 made of 40 MiB, are read around their holes'
    image = ntfs('ntfs-holes', ['folder\t/logs\tborn=' + BIRTH,
                                'file\t/logs/u_ex1.log\tfrom=log\tsparse=%d\tborn=%s' % (TERABYTE, BIRTH),
                                'file\t/logs/u_ex2.log\tfrom=packed\tcompressed=1\tborn=' + BIRTH],
                 {'log': '\r\n' + HEAD + HIT % 'last', 'packed': HEAD + HIT % 'first' + '\0' * (40 << 20) + '\r\n' + HIT % 'last'})
    if not image:
        skip(names, 'mkntfs or libntfs-3g is missing')
        return
    run = Run(image)
    run.check(names, (2, 3), sorted({(l['path'][-5:], l['fields']['cs-uri-stem']) for l in run.found()}) ==
              [('1.log', '/ecp/last.js'), ('2.log', '/ecp/first.js'), ('2.log', '/ecp/last.js')])


def check_long_path():
    """32,512 characters; Windows goes to 32,767."""
    name = 'NTFS: a path that is longer than this system can have'
    folders = ['/' + '/'.join('d%03d%s' % (n, 'x' * 251) for n in range(depth)) for depth in range(1, 128)]
    image = ntfs('long', ['folder\t%s\tborn=%s' % (f, BIRTH) for f in folders] +
                 ['file\t%s/u_ex1.log\tfrom=log\tborn=%s' % (folders[-1], BIRTH)], {'log': HEAD + HIT % 'x'}, '16M')
    if not image:
        skip(name, 'mkntfs or libntfs-3g is missing')
        return
    run = Run(image)
    run.check(name, (2, 3), len(run.found()) >= 1, all(len(l['path']) > 32000 for l in run.found()),
              any('u_ex1.log' in names for _, _, names in os.walk(os.path.join(run.case, 'files'))))


def records_of(data):
    """Place and name of each $MFT entry of an image."""
    at = data.find(b'FILE0')
    while at >= 0:
        if at % 1024 == 0:
            yield at
        at = data.find(b'FILE0', at + 512)


def set_attribute_list(data, at, target):
    """The entry's $STANDARD_INFORMATION becomes an attribute list that says: all my content is in `target`."""
    first, = struct.unpack_from('<H', data, at + 20)
    attribute = at + first
    kind, = struct.unpack_from('<I', data, attribute)
    assert kind == 0x10
    place, = struct.unpack_from('<H', data, attribute + 20)
    entry = struct.pack('<IHBBQQH6x', 0x80, 32, 0, 26, 0, target, 0) + struct.pack('<IHBBQQH6x', 0x20, 32, 0, 26, 0, target, 1)
    struct.pack_into('<I', data, attribute, 0x20)
    struct.pack_into('<I', data, attribute + 16, len(entry))
    data[attribute + place:attribute + place + len(entry)] = entry


def check_mft_circles():
    names = ['$MFT: folders that lie in each other', '$MFT: attribute lists that lead to themselves and to each other']
    image = ntfs('circles', ['folder\t/%s\tborn=%s' % (n, BIRTH) for n in ('one', 'one/two', 'one/two/three', 'logs')] +
                 ['file\t/logs/u_ex%d.log\tfrom=log\tborn=%s' % (n, BIRTH) for n in range(4)], {'log': HEAD + HIT % 'x' * 20}, '16M')
    if not image:
        for name in names:
            skip(name, 'mkntfs or libntfs-3g is missing')
        return
    with open(image, 'rb') as file:
        whole = file.read()
    places = {}
    for at in records_of(whole):
        for name in ('one', 'three', 'u_ex0.log', 'u_ex1.log', 'u_ex2.log'):
            if name.encode('utf-16-le') in whole[at:at + 500]:
                number, = struct.unpack_from('<I', whole, at + 44)
                sequence, = struct.unpack_from('<H', whole, at + 16)
                places.setdefault(name, (at, number | sequence << 48))
    data = bytearray(whole)
    at, _ = places['one']
    name = data.find('one'.encode('utf-16-le'), at) - 66
    struct.pack_into('<Q', data, name, places['three'][1])
    write(image, bytes(data))
    run = Run(image)
    run.check(names[0], (2, 3), len({l['path'] for l in run.found()}) == 4)
    data = bytearray(whole)
    for name, target in (('u_ex0.log', 'u_ex0.log'), ('u_ex1.log', 'u_ex2.log'), ('u_ex2.log', 'u_ex1.log')):
        set_attribute_list(data, places[name][0], places[target][1])
    write(image, bytes(data))
    run = Run(image)
    run.check(names[1], (2, 3), any(l['path'].endswith('u_ex3.log') for l in run.found()))


def check_wild_folders():
    names = ['ext4: a folder that claims exabytes', 'ext4: the first folder claims exabytes']
    if not tool('mke2fs') or not tool('debugfs'):
        for name in names:
            skip(name, 'mke2fs is missing')
        return
    tree, image = os.path.join(WORK, 'ext'), os.path.join(WORK, 'ext.img')
    for name in ('big/u_ex1.log', 'logs/u_ex2.log'):
        write(os.path.join(tree, name), HEAD + HIT % 'x')
    for name, folder in zip(names, ('/big', '/')):
        subprocess.run([tool('mke2fs'), '-q', '-F', '-t', 'ext4', '-d', tree, image, '16M'], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run([tool('debugfs'), '-w', '-R', 'set_inode_field %s size 0xfffffffffffff000' % folder, image],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        run = Run(image)
        coverage = run.load('coverage.json')
        run.check(name, (3,), coverage['totals']['entries_unreadable'] or coverage['unread'],
                  folder == '/' or any('u_ex2' in l['path'] for l in run.found()))


def check_strange_files():
    tree = os.path.join(WORK, 'strange')
    write(os.path.join(tree, 'u_ex1.log'), HEAD + HIT % 'x')
    os.mkfifo(os.path.join(tree, 'u_ex2.log'))
    for number in range(200):
        os.symlink('l%d' % ((number + 1) % 200), os.path.join(tree, 'l%d' % number))
    os.symlink('.', os.path.join(tree, 'u_ex3.log'))
    os.symlink('../..', os.path.join(tree, 'up'))
    os.symlink('/dev/zero', os.path.join(tree, 'u_ex4.log'))
    if os.geteuid() == 0:
        try:
            os.mknod(os.path.join(tree, 'u_ex5.log'), 0o20644, os.makedev(1, 5))
        except OSError:
            pass
    here = os.open(tree, os.O_RDONLY)
    for depth in range(2000):  # 8 KiB of path
        os.mkdir('deep', dir_fd=here)
        following = os.open('deep', os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = following
    os.close(here)
    run = Run(tree)
    run.check('a folder with a pipe, a device, circles of links and 2,000 levels', (2, 3), len(run.found()) >= 1,
              all('u_ex1' in l['path'] for l in run.found()))
    subprocess.run(['rm', '-rf', tree], check=True)


def check_xml():
    tree = os.path.join(WORK, 'xml')
    laughs = '<!ENTITY a0 "ha">' + ''.join('<!ENTITY a%d "%s">' % (n, '&a%d;' % (n - 1) * 20) for n in range(1, 30))
    quadratic = '<!ENTITY a "%s">' % ('x' * 100000)
    task = '<?xml version="1.0"?><!DOCTYPE Task [%s]><Task xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">' \
           '<Actions><Exec><Command>%s</Command></Exec></Actions></Task>'
    config = '<?xml version="1.0"?><!DOCTYPE configuration [%s]><configuration><system.applicationHost><sites>' \
             '<site name="%s" id="1"/></sites></system.applicationHost></configuration>'
    write(os.path.join(tree, 'Windows/System32/Tasks/laughs'), task % (laughs, '&a29;'))
    write(os.path.join(tree, 'Windows/System32/Tasks/quadratic'), task % (quadratic, '&a;' * 100000))
    write(os.path.join(tree, 'Windows/System32/Tasks/outside'), task % ('<!ENTITY a SYSTEM "file:///etc/passwd">', '&a;'))
    write(os.path.join(tree, 'Windows/System32/Tasks/deep'), '<Task>' + '<a>' * 300000)
    write(os.path.join(tree, 'Windows/System32/Tasks/wide'), '<Task ' + ' '.join('a%d=""' % n for n in range(100000)) + '/>')
    write(os.path.join(tree, 'Windows/System32/inetsrv/config/applicationHost.config'), config % (laughs, '&a29;'))
    write(os.path.join(tree, 'inetpub/wwwroot/web.config'), config % (quadratic, '&a;' * 100000))
    run = Run(tree)
    everything = b''.join(open(os.path.join(top, name), 'rb').read() for top, _, names in os.walk(run.case) for name in names
                          if not os.path.basename(top) == 'files')
    run.check('XML with entities that explode, that lead out, and without end', (0, 2, 3), b'root:x:0' not in everything,
              b'hahahahahahahaha' not in everything)


def check_many_files():
    tree = os.path.join(WORK, 'many')
    os.makedirs(tree)
    for number in range(FILES):
        os.close(os.open('%s/u_ex%d.txt' % (tree, number), os.O_CREAT | os.O_WRONLY))
    write(os.path.join(tree, 'u_ex1.log'), HEAD + HIT % 'x')
    run = Run(tree)
    run.check('a folder of %d entries' % FILES, (2,), run.load('coverage.json')['totals']['files_listed'] >= FILES,
              len(run.found()) >= 1, seconds=CPU_SECONDS + FILES / 10000)
    shutil.rmtree(tree)


RULE = '''title: rule %(n)d
id: 00000000-0000-4000-8000-%(n)012d
name: rule_%(n)d
level: low
logsource: {category: webserver}
detection: {s: {%(what)s}, condition: s}
'''


def check_rules():
    tree, rules = os.path.join(WORK, 'log'), os.path.join(WORK, 'rules')
    letters = 'a' * 60000
    write(os.path.join(tree, 'u_ex1.log'), HEAD + HIT % 'x' + HIT % ('needle' + letters + '!') + HIT % 'needle-9999')
    write(os.path.join(rules, 'sigma', 'backtrack.yml'),
          '---\n'.join(RULE % {'n': n, 'what': "cs-uri-stem|re: '%s'" % text} for n, text in
                       enumerate(('needle(a+)+$', 'needle(a|aa)+$', '(.*)*needle.*.*.*.*=$', '(x+x+)+y', '^/(([a-z])+.)+[A-Z]([a-z])+$'))))
    run = Run(tree, '--rules', rules)
    undecided = run.told().count('undecided')
    run.check('regular expressions that backtrack for ever are undecided, and say so', (0, 2, 3), undecided >= 1, seconds=20)
    shutil.rmtree(rules)
    write(os.path.join(rules, 'sigma', 'many.yml'),
          '---\n'.join(RULE % {'n': n, 'what': "cs-uri-stem|contains: 'needle-%d'" % n} for n in range(10000)))
    run = Run(tree, '--rules', rules)
    run.check('10,000 rules', (2,), {l['rule'] for l in run.found() if l['rule'].startswith('rule_')} ==
              {'rule_9', 'rule_99', 'rule_999', 'rule_9999'}, seconds=30)


def check_rule_folder():
    """Folders of rules and lists of hashes come from others, too."""
    tree, rules = os.path.join(WORK, 'some'), os.path.join(WORK, 'strange-rules')
    write(os.path.join(tree, 'u_ex1.log'), HEAD + HIT % 'x')
    write(os.path.join(rules, 'notes.txt'), 'nothing\n')
    for name in ('pipe.yml', 'pipe.yar', 'pipe.txt', 'judgement.tsv'):
        os.mkfifo(os.path.join(rules, name))
    for name in ('zero.yml', 'zero.yar', 'zero.csv'):
        os.symlink('/dev/zero', os.path.join(rules, name))
    for number in range(8):
        os.symlink('.', os.path.join(rules, 'circle%d' % number))
    run = Run(tree, '--rules', rules)
    run.check('a folder of rules with pipes, devices and circles of links', (2, 3), len(run.found()) >= 1)
    done = subprocess.run([PROGRAM, 'run', tree, '-o', os.path.join(WORK, 'none'), '--known-good', os.path.join(rules, 'pipe.txt')],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    result(done.returncode == 1 and 'is no file' in done.stderr, 'a list of hashes that is a pipe is refused', done.stderr)


def check_archive():
    import zipfile
    path = os.path.join(WORK, 'evidence.zip')
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('bomb.log', b'0' * 10000000)
    run = Run(path)
    run.check('a ZIP archive is to be unpacked first', (1,), 'unpack it' in run.stderr)


def main():
    global slow
    shutil.rmtree(WORK, ignore_errors=True)
    write(os.path.join(WORK, 'first', 'x.log'), HEAD + HIT % 'x')
    if 'sanitizer' in Run(os.path.join(WORK, 'first')).load('run.json')['sandbox']:
        slow = 10
    check_holes_in_a_folder()
    check_holes_on_ntfs()
    check_long_path()
    check_mft_circles()
    check_wild_folders()
    check_strange_files()
    check_xml()
    check_many_files()
    check_rules()
    check_rule_folder()
    check_archive()
    shutil.rmtree(WORK, ignore_errors=True)
    return plan()


if __name__ == '__main__':
    sys.exit(main())
