#!/usr/bin/env python3
"""TAP: report.html. What it holds is what the other outputs hold, hostile text stays text, and in a real Chromium (driven by
playwright-core from npm) it opens, filters, shows a record, prints. Skips what chromium, node or npm are missing for.

REPORT_ROWS=100000 makes the large case larger; opening time and memory are printed."""
import base64
import hashlib
import html.parser
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys

from program import BUILD, SOURCE, extriage
from tap import plan, result, skip

WORK = os.path.join(BUILD, 'tests', 'report-work')
LARGE = int(os.environ.get('REPORT_ROWS', '20000'))
PLAYWRIGHT = 'playwright-core@1.56.1'
HOSTILE = '</script><script>window.hacked=1</script>"><img src=x onerror=window.hacked=2>\'<svg/onload=window.hacked=3>&lt;\u202egnp.exe\u2028=1+1{{7*7}}'
# Words of findings.json that the report looks up: they are ours, never evidence.
WORDS = {'kind', 'confidence', 'outcome', 'exposure', 'state', 'level', 'status', 'cve'}
TIMES = re.compile(r'^\d{4}-\d\d-\d\d(T|$)')


def read(case, name='report.html'):
    with open(os.path.join(case, name), encoding='utf-8') as file:
        return file.read()


def lz4(packed, size):
    """A block of the LZ4 format, written from its description."""
    out, at = bytearray(), 0

    def length(start):
        nonlocal at
        if start == 15:
            while True:
                start += packed[at]
                at += 1
                if packed[at - 1] != 255:
                    break
        return start

    while at < len(packed):
        token = packed[at]
        at += 1
        literals = length(token >> 4)
        out += packed[at:at + literals]
        at += literals
        if at == len(packed):
            break
        offset = packed[at] | packed[at + 1] << 8
        at += 2
        for _ in range(length(token & 15) + 4):
            out.append(out[-offset])
    assert len(out) == size, (len(out), size)
    return bytes(out)


def data_of(page):
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S).group(1))
    rows = []
    for count, size, columns, record_size, records in data['chunks']:
        c = json.loads(lz4(base64.b64decode(columns), size))
        time = 0
        for i, record in enumerate(json.loads(lz4(base64.b64decode(records), record_size))):
            if c['t'][i] is not None:
                time += c['t'][i]
            rows.append(dict(record, timestamp=None if c['t'][i] is None else time, message=c['m'][i], artifact=c['A'][c['a'][i]],
                             path=c['P'][c['p'][i]], level=c['l'][i], rule=data['rules'][c['r'][i]]))
        assert len(c['m']) == count
    return data, rows


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.bad, self.text = {}, [], []
        self.inside = None

    def handle_starttag(self, tag, attributes):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.inside = tag
        for name, value in attributes:
            if name.startswith('on') or name in ('src', 'style', 'srcdoc', 'action') or (name == 'href' and not re.match(r'#[a-z]+$', value)):
                self.bad.append('%s %s=%s' % (tag, name, value))

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, text):
        if self.inside not in ('script', 'style'):
            self.text.append(text)


def tags_of(page):
    tags = Tags()
    tags.feed(page)
    tags.close()
    return tags


def policy_checks(page):
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page).group(1)
    result(policy.startswith("default-src 'none';") and 'unsafe' not in policy and '*' not in policy, 'the policy allows nothing else', policy)
    style = re.search(r'<style>(.*?)</style>', page, re.S).group(1)
    script = re.search(r'<script>(.*?)</script>', page, re.S).group(1)
    for name, source in (('style', style), ('script', script)):
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        result("%s-src 'sha256-%s'" % (name, digest) in policy, 'the policy names the hash of the %s' % name, policy)


def same_rows(case, page):
    levels = ['informational', 'low', 'medium', 'high', 'critical']
    lines = [json.loads(line) for name in ('timeline.jsonl', 'undated.jsonl') for line in read(case, name).splitlines()]
    data, rows = data_of(page)
    different = []
    for line, row in zip(lines, rows):
        for key in ('message', 'path', 'artifact', 'raw', 'raw_sha256', 'fields', 'offset', 'record', 'mft_entry', 'evidence', 'time_text'):
            if line[key] != row[key]:
                different.append((key, line[key], row[key]))
        if line.get('timestamp') != row['timestamp'] or line['level'] != levels[row['level']] or line['rule_id'] != row['rule']['id']:
            different.append((line['rule'], row))
    result(len(lines) == len(rows) == data['count'] and not different, 'it holds each row of the timeline, record and rule', different[:3])


def print_checks(case):
    result(not os.path.exists(os.path.join(case, 'report-print.html')), 'the report for the file is only written when asked for')
    run = extriage('report', case, '--format', 'print')
    result(run.returncode == 0, 'the report for the file is written', run.stderr)
    page = read(case, 'report-print.html')
    text = ' '.join(' '.join(tags_of(page).text).split())
    lines = [json.loads(line) for line in read(case, 'timeline.jsonl').splitlines()]
    missing = [line['message'] for line in lines if line['level'] in ('medium', 'high', 'critical') and ' '.join(line['message'].split()) not in text]
    result(not missing and 'Signature' in text, 'it lists each indicator from medium on, and has room for a signature', missing[:3])
    result('<script' not in page and 'script-src' not in page, 'it has no script, and allows none')


def plain_checks(case):
    page = read(case)
    findings = json.loads(read(case, 'findings.json'))
    text = ' '.join(' '.join(tags_of(page).text).split())
    policy_checks(page)
    same_rows(case, page)
    said = [lead['what'] for lead in findings['leads']] + [cve['cve'] for cve in findings['cves']] + [check['what'] for check in findings.get('checks', [])] + findings['verdict']['limits']
    said += [step['what'] for incident in findings['incidents'] for step in incident['steps']]
    said += [file['sha256'] for incident in findings['incidents'] for file in incident['files'] if file['sha256']]
    missing = [what for what in said if ' '.join(what.split()) not in text]
    result(not missing, 'verdict, leads, steps, files and vulnerabilities stand in the page itself, without the script', missing[:5])
    result('Mailbox databases (.edb) and the contents of PST files are never opened' in text, 'it says what is never opened')
    print_checks(case)
    again = extriage('report', case, '--format', 'html')
    result(again.returncode == 0 and read(case) == page, 'written again it has the same bytes', again.stderr)


# --- a case whose every text is hostile ---

def poison(value, key=''):
    if isinstance(value, dict):
        return {name: poison(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [poison(item, key) for item in value]
    if isinstance(value, str) and key not in WORDS and not TIMES.match(value):
        return value + HOSTILE
    return value


def poisoned(case, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    shutil.copy(os.path.join(case, 'case.db'), folder)
    db = sqlite3.connect(os.path.join(folder, 'case.db'))
    for name, body in db.execute('SELECT name, body FROM document').fetchall():
        db.execute('UPDATE document SET body = ? WHERE name = ?', (json.dumps(poison(json.loads(body)), ensure_ascii=False), name))
    for table, columns in (('indicator', 'message host artifact path evidence mft_entry how marks raw time_text timestamp_desc'),
                           ('rule', 'name id title author path'), ('coverage', 'path artifact evidence'), ('notice', 'path text'), ('unread', 'path text')):
        for column in columns.split():
            db.execute('UPDATE %s SET %s = %s || ?' % (table, column, column), (HOSTILE,))
    for row, fields in db.execute('SELECT rowid, fields FROM indicator').fetchall():
        fields = {name + HOSTILE: value + HOSTILE for name, value in json.loads(fields).items()}
        db.execute('UPDATE indicator SET fields = ? WHERE rowid = ?', (json.dumps(fields, ensure_ascii=False), row))
    db.execute('INSERT INTO notice SELECT evidence, volume, snapshot, path, artifact, 7, ? FROM coverage LIMIT 3', (HOSTILE,))
    db.commit()
    db.close()
    return extriage('report', folder, '--format', 'html')


def hostile_checks(case):
    page = read(case)
    tags = tags_of(page)
    known = {'html', 'head', 'meta', 'title', 'style', 'script', 'body', 'a', 'header', 'nav', 'main', 'section', 'article', 'div', 'p', 'b', 'span', 'h1', 'h2',
             'h3', 'h4', 'ul', 'ol', 'li', 'dl', 'dt', 'dd', 'table', 'caption', 'thead', 'tbody', 'tr', 'th', 'td', 'time', 'code', 'br', 'details', 'summary',
             'svg', 'line', 'rect', 'circle'}
    result(set(tags.tags) <= known and tags.tags['script'] == 2, 'hostile text makes no element', set(tags.tags) - known)
    result(not tags.bad, 'hostile text makes no attribute', tags.bad[:5])
    result('\u202e' not in page and '\u2028' not in page and '\\u{202e}' in page, 'marks of direction are shown as escapes')


# --- many rows ---

def enlarged(case, folder, rows):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    shutil.copy(os.path.join(case, 'case.db'), folder)
    db = sqlite3.connect(os.path.join(folder, 'case.db'))
    columns = [row[1] for row in db.execute('PRAGMA table_info(indicator)')]
    count = db.execute('SELECT count(*) FROM indicator').fetchone()[0]
    changed = {'timestamp': 'timestamp + n * 7919123', 'message': "message || ' ' || n", 'raw': "raw || ' ' || n", 'offset': 'offset + n'}
    db.execute('WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < ?) INSERT INTO indicator (%s) SELECT %s FROM copy, indicator '
               'WHERE dated ORDER BY timestamp + n * 7919123' % (', '.join('"%s"' % c for c in columns), ', '.join(changed.get(c, '"%s"' % c) for c in columns)),
               (max(1, rows // count),))
    db.commit()
    db.close()
    return extriage('report', folder, '--format', 'html')


# --- nothing found ---

def quiet_case():
    log, case = os.path.join(WORK, 'u_ex210301.log'), os.path.join(WORK, 'quiet')
    with open(log, 'w') as file:
        file.write('#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status '
                   'time-taken\n2021-03-01 00:00:01 10.0.0.1 GET /owa/ - 443 - 10.0.0.9 Mozilla/5.0 200 0 0 12\n')
    run = extriage('run', '-q', '--clobber', log, '-o', case)
    text = ' '.join(' '.join(tags_of(read(case)).text).split())
    result(run.returncode == 0 and 'No trace of an attack was found' in text and 'Host not known' in text and 'What cannot be known' in text,
           'a report of nothing says so, and what cannot be known', run.stderr)
    return case


# --- in the browser ---

def browser_missing():
    for name in ('chromium', 'node', 'npm'):
        if not shutil.which(name):
            return name + ' is not installed'
    if os.path.isdir(os.path.join(WORK, 'node_modules', 'playwright-core')):
        return None
    with open(os.path.join(WORK, 'package.json'), 'w') as file:
        file.write('{"private": true}\n')
    try:
        run = subprocess.run(['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', PLAYWRIGHT], cwd=WORK, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        return 'the npm registry does not answer'
    return None if run.returncode == 0 else 'npm cannot install %s' % PLAYWRIGHT


def browser_checks(reports):
    why = browser_missing()
    if why:
        return skip('in Chromium', why)
    script = os.path.join(WORK, 'report_browser.mjs')  # beside node_modules, where imports are looked for
    shutil.copy(os.path.join(SOURCE, 'tests', 'report_browser.mjs'), script)
    try:
        run = subprocess.run(['node', script, shutil.which('chromium'), WORK, *reports], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=420)
    except subprocess.TimeoutExpired as late:
        return result(False, 'in Chromium', 'no end after %d s' % late.timeout)
    seen = 0
    for line in run.stdout.splitlines():
        said = json.loads(line)
        if 'note' in said:
            print('# ' + said['note'])
            continue
        seen += 1
        result(said['ok'], 'Chromium: ' + said['name'], said.get('detail', ''))
    result(run.returncode == 0 and seen > 0, 'the browser came to its end', run.stderr[-2000:])


def main():
    shutil.rmtree(os.path.join(WORK, 'case'), ignore_errors=True)
    os.makedirs(WORK, exist_ok=True)
    case = os.path.join(WORK, 'case')
    demo = subprocess.run(['sh', os.path.join(SOURCE, 'fixtures', 'make_demo.sh'), os.path.join(WORK, 'demo'), '--formats', 'folder'],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if demo.returncode:
        skip('the demonstration', 'it cannot be built here: ' + ' '.join(demo.stdout.split())[-200:])
    else:
        run = extriage('run', '-q', os.path.join(WORK, 'demo', 'folder'), '-o', case)
        result(run.returncode == 2 and os.path.exists(os.path.join(case, 'report.html')), 'a run writes report.html', run.stderr)
        plain_checks(case)
        hostile, large = os.path.join(WORK, 'hostile'), os.path.join(WORK, 'large')
        run = poisoned(case, hostile)
        result(run.returncode == 0, 'a report of a hostile case', run.stderr)
        hostile_checks(hostile)
        run = enlarged(case, large, LARGE)
        result(run.returncode == 0, 'a report of many indicators', run.stderr)
        size = os.path.getsize(os.path.join(large, 'report.html'))
        rows = int(re.search(r'"count":(\d+)', read(large)).group(1))
        print('# %d indicators: %.1f MiB, %d bytes each' % (rows, size / 2**20, size / rows))
        result(size < 1000 * rows, 'a page of many indicators is small: less than 1000 bytes each', size)
        empty = quiet_case()
        browser_checks([pathlib.Path(folder, 'report.html').as_uri() for folder in (case, hostile, large)] +
                       [pathlib.Path(case, 'report-print.html').as_uri(), pathlib.Path(empty, 'report.html').as_uri()])
    return plan()


if __name__ == '__main__':
    sys.exit(main())
