#!/usr/bin/env python3
"""TAP: names and fields that attack whoever reads the outputs: formulas, script, terminal escapes, marks that turn the
direction of writing, lines that imitate our own. Each output is compared with that of a harmless twin of the evidence: it
has as many lines and rows, the same tags, and nothing that a terminal, a spreadsheet or a browser obeys."""
import csv
import html.parser
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import unicodedata
import xml.etree.ElementTree

from tap import plan, result

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
WORK = os.path.join(BUILD, 'tests', 'output-work')

RULE = '''title: a request for the test
id: 00000000-0000-4000-8000-000000000001
name: test
level: high
logsource: {category: webserver}
detection: {s: {cs-uri-stem|contains: /ecp/y.js}, condition: s}
'''
IIS = b'#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query ' \
      b's-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status\r\n'
PROXY = b'#Software: Microsoft Exchange Server\r\n#Version: 15.01.2106.002\r\n#Log-type: HttpProxy Logs\r\n#Date: 2021-03-03T04:00:00Z\r\n' \
        b'#Fields: DateTime,RequestId,MajorVersion,ClientIpAddress,UrlHost,UrlStem,ProtocolAction,AuthenticatedUser,UserAgent,ErrorCode,GenericErrors\r\n'
PAYLOADS = [
    b"=cmd|'/C+calc'!A0", b'+1+1', b'-2+3', b'@SUM(1)', b'\t=1', b'=HYPERLINK("http://x/","y")', b'%3Dcmd',
    b'<script>alert(1)</script>', b'"><img/src=x/onerror=alert(1)>', b"javascript:alert(1)", b'</script><b>', b'<!--', b']]>',
    b'\x1b]0;owned\x07', b'\x1b[31mred\x1b[0m', b'\x1b[2J', b'\x9b31m', b'\xc2\x9b31m', b'\x08\x08\x08ok', b'\x7f',
    b'\xe2\x80\xaegnp.exe', b'\xe2\x81\xa6x\xe2\x81\xa9', b'\xef\xbb\xbf', b'\xff\xfe\xfd', b'\xed\xa0\x80', b'\xe2\x80\xa8next', b'\xc2\x85next',
    b'","rule":"none","level":"low', b'{"a":1}', b'\\u0000\\x00\\n', b"'; DROP TABLE indicator; --", b'a|b|c|d', b'[x](javascript:alert(1))',
    b'`rm`$(rm)', b'| a | b |', b'# heading', b'A' * 32767,
]
# Only a quoted cell can hold these.
LINES = [b'x\r\n2026-01-01 00:00:00,000 [ERROR] all is lost\r\n', b'x\nextriage: the server is clean\n', b'x\n\n# Verdict: clean\n\n', b'x\r\n"=1+1","b"\r\n']
NAMES = [b'=1+1.log', b'new\nline.log', b'\x1b[31mred.log', b'\xe2\x80\xaegol.log', b'CON.log', b'NUL', b'COM1.log', b'..log', b'...', b' .log', b'a.log ',
         b'<img src=x onerror=alert(1)>.log', b'\xff\xfe.log', b'"q".log', b'-rf.log', b'@x.log', b'a|b.log', b'tab\there.log', b'x' * 251 + b'.log', b'\x7f\x01.log',
         b'2026-01-01 00:00:00,000 [ERROR] x.log']
csv.field_size_limit(1 << 24)
TEXTS = ('.csv', '.html', '.txt', '.md', '.tln', '.xml')  # read by people, as they are


def iis_line(payload):
    field = payload.replace(b' ', b'+').replace(b'\n', b'+').replace(b'\r', b'+').replace(b'\t', b'\t')
    return b'2021-03-03 04:00:00 192.0.2.1 POST /ecp/y.js %s 443 %s 203.0.113.9 %s %s 200\r\n' % (field, field, field, field)


def proxy_line(payload):
    cell = b'"' + payload.replace(b'"', b'""') + b'"'
    return b','.join((b'2021-03-03T04:00:00.000Z', cell, b'15', b'203.0.113.9', cell, b'/ecp/y.js', cell, cell, cell, b'', cell)) + b'\r\n'


def make(tree, names, payloads, lines):
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(tree)
    for name in names:
        with open(os.path.join(tree.encode(), name), 'wb') as file:
            file.write(IIS + iis_line(b'plain'))
    with open(os.path.join(tree, 'fields.log'), 'wb') as file:
        file.write(IIS + b''.join(iis_line(p) for p in payloads))
    with open(os.path.join(tree, 'HttpProxy_1.LOG'), 'wb') as file:
        file.write(PROXY + b''.join(proxy_line(p) for p in payloads + lines))


def run(tree, case):
    return subprocess.run([PROGRAM, 'run', tree, '-o', case, '--clobber', '--format', 'all', '--verbose'], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=300, env=dict(os.environ, EXTRIAGE_RULES=os.path.join(WORK, 'rules'), TERM='xterm'))


def read(case, name):
    with open(os.path.join(case, name), 'rb') as file:
        return file.read()


def obeyed(text):
    """Characters that a terminal or the direction of writing obeys."""
    return sorted({'U+%04X' % ord(c) for c in text if c not in '\n\r\t' and
                   (unicodedata.category(c) == 'Cc' or unicodedata.bidirectional(c) in ('RLO', 'LRO', 'RLE', 'LRE', 'PDF', 'RLI', 'LRI', 'FSI', 'PDI'))})


class Tags(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.found = set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.add((tag, tuple(sorted(name for name, _ in attributes))))
        for name, value in attributes:
            if name in ('href', 'src', 'action') and value and value.strip().lower().startswith(('javascript:', 'data:text')):
                self.found.add((tag, name, value[:40]))


def check_file(name, ours, twin):
    """What is wrong with one output."""
    try:
        text, other = ours.decode('utf-8'), twin.decode('utf-8')
    except UnicodeDecodeError as error:
        return 'it is no UTF-8: %s' % error
    if '\0' in text or (name.endswith(TEXTS) and obeyed(text)):
        return 'it holds %s' % obeyed(text)
    if any(ord(c) < 32 and c not in '\n\r\t' for c in text) or '\x7f' in text and not name.endswith('.json'):
        return 'it holds control characters'
    if name.endswith('.csv'):
        rows, others = list(csv.reader(io.StringIO(text))), list(csv.reader(io.StringIO(other)))
        bad = [cell[:60] for row in rows for cell in row if cell[:1] in ('=', '@', '\t', '\r') or re.match(r'[+-](?![0-9.:TZ -]*$)', cell)]
        if bad:
            return 'cells that begin a formula: %s' % bad[:5]
        if len(rows) != len(others) or {len(r) for r in rows} != {len(r) for r in others}:
            return '%d rows, %d of the twin' % (len(rows), len(others))
    elif name.endswith('.html'):
        more = Tags(text).found - Tags(other).found
        if more:
            return 'tags that the twin has not: %s' % sorted(more)[:5]
    elif name.endswith('.xml'):
        xml.etree.ElementTree.fromstring(text)
    elif name.endswith('.jsonl'):
        rows = [json.loads(line) for line in text.split('\n') if line]
        if len(rows) != len([line for line in other.split('\n') if line]):
            return '%d lines, not as many as the twin' % len(rows)
    elif name.endswith(('.json', '.jsonld')):
        json.loads(text)
    elif name != 'summary.md' and text.count('\n') != other.count('\n'):
        return '%d lines, %d of the twin' % (text.count('\n'), other.count('\n'))
    return ''


def check_log(text, twin):
    lines = text.decode().split('\n')[:-1]
    strange = [line for line in lines if not re.match(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \[(INFO|WARNING)\] ', line)]
    result(not strange and len(lines) == len(twin.decode().split('\n')) - 1 and not obeyed(text.decode()), 'log.txt: no line is made by evidence',
           '%s %s' % (strange[:3], obeyed(text.decode())))


def check_database(case, twin):
    def rows(path):
        with sqlite3.connect(os.path.join(path, 'case.db')) as base:
            return base.execute('PRAGMA integrity_check').fetchone()[0], base.execute('SELECT count(*) FROM indicator').fetchone()[0]

    result(rows(case) == rows(twin) and rows(case)[0] == 'ok', 'case.db is whole and has as many rows', '%s %s' % (rows(case), rows(twin)))


def check_stored(case):
    names = [os.path.join(top, n) for top, folders, found in os.walk(os.path.join(case, 'files').encode()) for n in found + folders]
    names = [n.decode('utf-8', 'surrogateescape') if isinstance(n, bytes) else n for n in map(os.fsencode, names)]
    devices = re.compile(r'(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)')
    bad = [n for n in names if obeyed(os.path.basename(n)) or devices.match(os.path.basename(n)) or re.search(r'[<>:"|?*]', os.path.basename(n)) or
           os.path.basename(n) != os.path.basename(n).rstrip(' .') or len(os.path.basename(n).encode()) > 255]
    result(names and not bad, 'extracted files have names that every system can have', bad[:5])


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.copytree(os.path.join(SOURCE, 'rules'), os.path.join(WORK, 'rules'), ignore=shutil.ignore_patterns('sigma', 'yara', 'indicators'))
    os.chmod(os.path.join(WORK, 'rules'), 0o755)  # a copy of what may be read only
    os.makedirs(os.path.join(WORK, 'rules', 'sigma'))
    with open(os.path.join(WORK, 'rules', 'sigma', 'test.yml'), 'w', encoding='ascii') as file:
        file.write(RULE)
    tree, twin_tree, case, twin = (os.path.join(WORK, n) for n in ('tree', 'twin', 'case', 'twin-case'))
    make(tree, NAMES, PAYLOADS, LINES)
    make(twin_tree, [b'name%d.log' % n for n in range(len(NAMES))], [b'p%d' % n for n in range(len(PAYLOADS))], [b'l%d' % n for n in range(len(LINES))])
    ours, others = run(tree, case), run(twin_tree, twin)
    result(ours.returncode == others.returncode == 2, 'both are read', '%d %d\n%s' % (ours.returncode, others.returncode, ours.stderr[-1000:]))
    for stream, text, other in (('output', ours.stdout, others.stdout), ('error output', ours.stderr, others.stderr)):
        text = text.decode('utf-8', 'surrogateescape')
        result(not obeyed(text) and not re.search(r'[\ud800-\udfff]', text), 'nothing that a terminal obeys comes to standard ' + stream, obeyed(text))
    for name in sorted(os.listdir(case)):
        path = os.path.join(case, name)
        if os.path.isdir(path) or name in ('case.db', 'log.txt'):
            continue
        problem = check_file(name, read(case, name), read(twin, name))
        result(not problem, name, problem)
    check_log(read(case, 'log.txt'), read(twin, 'log.txt'))
    check_database(case, twin)
    check_stored(case)
    shutil.rmtree(WORK, ignore_errors=True)
    return plan()


if __name__ == '__main__':
    sys.exit(main())
