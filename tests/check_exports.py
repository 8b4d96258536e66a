#!/usr/bin/env python3
"""TAP: outputs for other programs, case.db for analysts, custody, redaction, merging: against the demonstration evidence."""
import csv
import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
import uuid

from program import BUILD, PROGRAM, SOURCE, VOLATILE, extriage
from tap import plan, result, skip, skip_all

WORK = os.path.join(BUILD, 'tests', 'exports')


def content(*parts):
    with open(os.path.join(*parts), 'rb') as file:
        return file.read()


def json_of(*parts):
    return json.loads(content(*parts))


def rows_of(database, query):
    with sqlite3.connect('file:%s?mode=ro' % database, uri=True) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def build():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    made = subprocess.run([os.path.join(SOURCE, 'fixtures', 'make_demo.sh'), os.path.join(WORK, 'demo'), '--formats', 'e01,folder'],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode == 77:
        skip_all(made.stdout.strip().splitlines()[-1])
        sys.exit(0)
    result(made.returncode == 0, 'the demonstration evidence is built', made.stdout[-1500:])
    return os.path.join(WORK, 'demo', 'EXCH01.E01')


def different(first, second, volatile=VOLATILE):
    names = sorted({n for folder in (first, second) for n in os.listdir(folder) if os.path.isfile(os.path.join(folder, n))})
    return [n for n in names if n not in volatile and
            (not os.path.exists(os.path.join(first, n)) or not os.path.exists(os.path.join(second, n)) or
             content(first, n) != content(second, n))]


def check_sameness(image, case):
    for zone, jobs in (('America/Caracas', '1'), ('Pacific/Kiritimati', '4')):
        other = os.path.join(WORK, 'zone')
        run = extriage('run', image, '-o', other, '--format', 'all', '-q', '--clobber', '--jobs', jobs, env=dict(os.environ, TZ=zone))
        result(run.returncode == 2 and not different(case, other), 'in the time zone %s with %s jobs every output is the same' %
               (zone, jobs), '%s %s' % (run.stderr, different(case, other)))
    again = os.path.join(WORK, 'again')
    shutil.copytree(case, again)
    for name in os.listdir(again):
        if os.path.isfile(os.path.join(again, name)) and name not in ('case.db', 'run.json', 'log.txt'):
            os.unlink(os.path.join(again, name))
    run = extriage('report', again, '--format', 'all')
    result(run.returncode == 0 and not different(case, again), 'report writes every output again, the same to the byte',
           '%s %s' % (run.stderr, different(case, again)))


# --- outputs for other programs ---

STIX_NEEDS = {  # what STIX 2.1 wants of each kind beside type, id and spec_version
    'identity': ('created', 'modified', 'name'), 'attack-pattern': ('created', 'modified', 'name'),
    'vulnerability': ('created', 'modified', 'name'), 'indicator': ('created', 'modified', 'pattern', 'pattern_type', 'valid_from'),
    'observed-data': ('created', 'modified', 'first_observed', 'last_observed', 'number_observed', 'object_refs'),
    'sighting': ('created', 'modified', 'sighting_of_ref'), 'relationship': ('created', 'modified', 'relationship_type', 'source_ref',
                                                                             'target_ref'),
    'report': ('created', 'modified', 'name', 'published', 'object_refs'), 'ipv4-addr': ('value',), 'ipv6-addr': ('value',),
    'file': (), 'directory': ('path',)}
STIX_TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z')
OBSERVABLES = uuid.UUID('00abedb4-aa42-466c-9c01-fed23315a9b7')


def stix_problems(bundle):
    objects = {o['id']: o for o in bundle['objects']}
    for o in bundle['objects']:
        kind, _, identity = o['id'].partition('--')
        if kind != o['type'] or uuid.UUID(identity).version != 5 or o['spec_version'] != '2.1':
            yield 'id of ' + o['id']
        yield from ('%s has no %s' % (o['id'], key) for key in STIX_NEEDS[o['type']] if key not in o)
        for key, value in o.items():
            refs = value if key.endswith('_refs') else [value] if key.endswith('_ref') else []
            yield from ('%s: %s leads nowhere' % (o['id'], key) for ref in refs if ref not in objects)
            if key in ('created', 'modified', 'published', 'valid_from') or key.endswith('_seen') or key.endswith('_observed'):
                if key != 'number_observed' and not STIX_TIME.fullmatch(value):
                    yield '%s: %s is no time: %s' % (o['id'], key, value)
        for first, last in (('first_observed', 'last_observed'), ('first_seen', 'last_seen')):
            if first in o and o[first] > o[last]:
                yield '%s: ends before it begins' % o['id']
        named = {key: o[key] for key in ('hashes', 'name', 'parent_directory_ref', 'path', 'value') if key in o}
        if o['type'] in ('file', 'directory', 'ipv4-addr', 'ipv6-addr') and identity != str(uuid.uuid5(
                OBSERVABLES, json.dumps(named, sort_keys=True, separators=(',', ':'), ensure_ascii=False))):
            yield '%s: not the id that its properties give' % o['id']
    if len(objects) != len(bundle['objects']):
        yield 'an id is there twice'


def check_stix(case):
    bundle = json_of(case, 'stix.json')
    problems = list(stix_problems(bundle))
    result(not problems, 'stix.json: ids, times and references are as STIX 2.1 wants them', '\n'.join(problems))
    kinds = {o['type'] for o in bundle['objects']}
    wanted = {'identity', 'report', 'indicator', 'observed-data', 'sighting', 'attack-pattern', 'relationship', 'file', 'ipv4-addr'}
    result(wanted <= kinds, 'with every kind of object', wanted - kinds)
    patterns = {o['pattern']: o['indicator_types'] for o in bundle['objects'] if o['type'] == 'indicator'}
    result(patterns.get("[ipv4-addr:value = '203.0.113.77']") == ['malicious-activity'] and
           patterns.get("[ipv4-addr:value = '203.0.113.61']") == ['anomalous-activity'] and
           any(p.startswith("[file:hashes.'SHA-256' = ") for p in patterns), 'intruders are told from scanners', patterns)
    try:
        import stix2
        result(len(stix2.parse(bundle).objects) == len(bundle['objects']), 'the stix2 library reads it')
    except ImportError:
        skip('the stix2 library reads it', 'python3-stix2 is not there')


def check_misp(case):
    event = json_of(case, 'misp.json')['Event']
    attributes = {(a['type'], a['value'].split('|')[0]): a for a in event['Attribute']}
    result(attributes['ip-src', '203.0.113.77']['to_ids'] and not attributes['ip-src', '203.0.113.61']['to_ids'] and
           attributes['filename|sha256', 'iispage.aspx']['to_ids'] and ('vulnerability', 'CVE-2021-26855') in attributes,
           'misp.json: what is worth blocking is marked', sorted(attributes))
    wrong = [a for a in event['Attribute'] if set(a) < {'uuid', 'type', 'category', 'to_ids', 'value', 'comment', 'timestamp'} or
             str(uuid.UUID(a['uuid'])) != a['uuid'] or not a['timestamp'].isdigit()]
    result(not wrong and event['threat_level_id'] == '1' and re.fullmatch(r'\d{4}-\d\d-\d\d', event['date']) and
           any('T1190' in tag['name'] for tag in event['Tag']), 'with all that MISP wants', wrong)


def check_case_uco(case):
    document = json_of(case, 'case-uco.jsonld')
    graph = document['@graph']
    prefixes = set(document['@context'])
    ids = {node['@id'] for node in graph}
    names, refs = set(), set()

    def walk(value):
        if isinstance(value, list):
            for item in value:
                walk(item)
        elif isinstance(value, dict):
            names.update(key for key in value if not key.startswith('@'))
            if set(value) == {'@id'}:
                refs.add(value['@id'])
            for item in value.values():
                walk(item)
    walk(graph)
    result(not {n for n in names if n.split(':')[0] not in prefixes} and refs <= ids and len(ids) == len(graph),
           'case-uco.jsonld: every name has its vocabulary, every reference its object', refs - ids)
    kinds = {node['@type'] for node in graph}
    result({'case-investigation:InvestigativeAction', 'case-investigation:ProvenanceRecord', 'uco-tool:Tool', 'uco-observable:Image',
            'uco-observable:File'} <= kinds, 'with action, provenance, tool, image and files', kinds)


def check_dfxml(case):
    import xml.etree.ElementTree
    root = xml.etree.ElementTree.parse(os.path.join(case, 'dfxml.xml')).getroot()
    space = '{http://www.forensicswg.org/wiki/Category:Digital_Forensics_XML}'
    files = {f.findtext(space + 'filename'): f for f in root.iter(space + 'fileobject')}
    with open(os.path.join(case, 'files.csv'), encoding='utf-8', newline='') as file:
        listed = list(csv.DictReader(file))
    shell = files['C:\\inetpub\\wwwroot\\aspnet_client\\iispage.aspx']
    digests = {h.get('type'): h.text for h in shell.iter(space + 'hashdigest')}
    row = next(r for r in listed if r['path'] == shell.findtext(space + 'filename'))
    result(len(list(root.iter(space + 'fileobject'))) == len(listed) and digests == {k: row[k] for k in ('md5', 'sha1', 'sha256')} and
           root.findtext('%ssource/%simage_filename' % (space, space)) == 'EXCH01.E01', 'dfxml.xml: all files with their hashes', digests)
    if shutil.which('xmllint'):
        lint = subprocess.run(['xmllint', '--noout', '--nonet', os.path.join(case, 'dfxml.xml')], stderr=subprocess.PIPE, text=True)
        result(lint.returncode == 0, 'xmllint reads dfxml.xml', lint.stderr)
    else:
        skip('xmllint reads dfxml.xml', 'there is no xmllint')


def check_markdown(case):
    text = content(case, 'summary.md').decode()
    findings = json_of(case, 'findings.json')
    shells = [f['path'] for i in findings['incidents'] if i['kind'] == 'intrusion' for f in i['files']]
    result(all('`%s`' % path in text for path in shells) and '203.0.113.77' in text and 'CVE-2021-26855' in text and
           findings['verdict']['name'] in text, 'summary.md: verdict, addresses, files, vulnerabilities')
    tables = [line for line in text.splitlines() if line.startswith('|')]
    heads = {}
    wrong = []
    for before, line in zip([''] + text.splitlines(), text.splitlines()):
        if line.startswith('|'):
            columns = len(re.findall(r'(?<!\\)\|', line))
            heads['columns'] = columns if not before.startswith('|') else heads['columns']
            wrong += [line] if columns != heads['columns'] else []
    result(tables and not wrong, 'its tables have as many cells in every row', '\n'.join(wrong))


# --- case.db for analysts ---

def check_database(case):
    database = os.path.join(case, 'case.db')
    with open(os.path.join(SOURCE, 'triage', 'case', 'README.md'), encoding='utf-8') as file:
        queries = re.findall(r'```sql\n(.*?)```', file.read(), re.S)
    empty = []
    for query in queries:
        try:
            if not rows_of(database, query) and 'unread' not in query:
                empty.append(query)
        except sqlite3.Error as error:
            empty.append('%s: %s' % (error, query))
    result(len(queries) >= 10 and not empty, 'the README\'s %d queries run and find something' % len(queries), '\n'.join(empty))
    with open(os.path.join(case, 'timeline.jsonl'), encoding='utf-8') as file:
        lines = [json.loads(line) for line in file]
    rows = rows_of(database, 'SELECT * FROM v_timeline WHERE time IS NOT NULL')
    wrong = [row['id'] for row, line in zip(rows, lines) if row['time'] != line['datetime'].replace('+00:00', 'Z') or
             (row['level'], row['rule'], row['path'], json.loads(row['tags'])) != (line['level'], line['rule'], line['path'], line['tag'])]
    result(len(rows) == len(lines) and not wrong, 'v_timeline tells what timeline.jsonl tells', wrong)
    findings = json_of(case, 'findings.json')
    incidents = rows_of(database, 'SELECT * FROM incident ORDER BY id')
    result([(i['id'], i['kind'], i['rung'], i['indicator_count']) for i in incidents] ==
           [(i['id'], i['kind'], i['rung'], i['indicator_count']) for i in findings['incidents']] and
           len(rows_of(database, 'SELECT * FROM step')) == sum(len(i['steps']) for i in findings['incidents']) and
           [c['outcome'] for c in rows_of(database, 'SELECT outcome FROM cve ORDER BY cve')] ==
           [c['outcome'] for c in sorted(findings['cves'], key=lambda c: c['cve'])], 'the tables of the findings are those of findings.json')
    result(rows_of(database, 'PRAGMA integrity_check') == [{'integrity_check': 'ok'}] and
           rows_of(database, 'PRAGMA user_version')[0]['user_version'] == 4, 'the database is whole and tells its version')


# --- custody ---

def check_custody(image, case):
    run = json_of(case, 'run.json')
    on_disk = run['evidence'][0]['on_disk']['files']
    segments = sorted(n for n in os.listdir(os.path.dirname(image)) if n.startswith('EXCH01.E'))
    result([os.path.basename(f['path']) for f in sorted(on_disk, key=lambda f: f['path'])] == segments and
           all(f['unchanged'] and f['size'] == os.path.getsize(f['path']) and f['inode'] == os.stat(f['path']).st_ino for f in on_disk),
           'run.json tells each segment as it was, and that it is unchanged', on_disk)
    programs = {os.path.basename(p['path']): p['sha256'] for p in run['programs']}
    result(programs.get(os.path.basename(PROGRAM)) and any(n.startswith('libsqlite3') for n in programs),
           'and the program and its libraries with their hashes', programs)
    log = content(case, 'log.txt').decode(errors='replace')
    with open(os.path.join(case, 'files.csv'), encoding='utf-8', newline='') as file:
        stored = [row for row in csv.DictReader(file) if row['stored']]
    opened = rows_of(os.path.join(case, 'case.db'), 'SELECT DISTINCT path FROM coverage')
    missing = [row['path'] for row in opened if 'opened ' + row['path'] not in log]
    missing += [row['path'] for row in stored if not re.search('copied %s .*%s' % (re.escape(row['path']), row['sha256']), log)]
    result(not missing and stored and opened, 'log.txt names every file that was opened and copied', '\n'.join(missing))


def check_changed_evidence(image):
    folder = os.path.join(WORK, 'changed')
    os.makedirs(folder)
    for name in os.listdir(os.path.dirname(image)):
        if name.startswith('EXCH01.E'):
            shutil.copy(os.path.join(os.path.dirname(image), name), folder)
    case = os.path.join(WORK, 'changed-case')
    process = subprocess.Popen([PROGRAM, 'run', os.path.join(folder, 'EXCH01.E01'), '-o', case, '-q', '--jobs', '1', '--no-prefilter'],
                               stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not os.path.exists(os.path.join(case, 'log.txt')):
        time.sleep(0.001)
    os.utime(os.path.join(folder, 'EXCH01.E03'), (1, 1))
    errors = process.communicate()[1]
    result(process.returncode == 3 and 'evidence changed' in errors and 'EXCH01.E03' in errors,
           'evidence that changes during the run is an error and exit code 3', '%d %s' % (process.returncode, errors))
    run = json_of(case, 'run.json')
    result([f['unchanged'] for f in run['evidence'][0]['on_disk']['files'] if f['path'].endswith('E03')] == [False],
           'and run.json says which file')


def check_signatures(case):
    signed = os.path.join(WORK, 'signed')
    shutil.copytree(case, signed)
    sums = os.path.join(signed, 'SHA256SUMS')
    run = extriage('report', signed, '--sign', 'pgp')
    result(run.returncode == 1 and '--sign' in run.stderr, 'an unknown way to sign is refused', run.stderr)
    if shutil.which('ssh-keygen'):
        key = os.path.join(WORK, 'key')
        subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', key], check=True)
        run = extriage('report', signed, '--sign', 'ssh:' + key)
        with open(os.path.join(WORK, 'allowed'), 'w', encoding='utf-8') as file:
            file.write('examiner ' + content(key + '.pub').decode())
        verify = ['ssh-keygen', '-Y', 'verify', '-f', os.path.join(WORK, 'allowed'), '-I', 'examiner', '-n', 'extriage', '-s', sums + '.sig']
        good = subprocess.run(verify, input=content(sums), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        bad = subprocess.run(verify, input=content(sums) + b'x', stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        result(run.returncode == 0 and good.returncode == 0 and bad.returncode != 0, 'ssh-keygen verifies what --sign ssh: signed',
               '%s %s' % (run.stderr, good.stdout))
        run = extriage('report', signed)
        result(run.returncode == 0 and not os.path.exists(sums + '.sig'), 'a signature over other sums does not stay')
    else:
        skip('ssh-keygen verifies what --sign ssh: signed', 'there is no ssh-keygen')
    home = os.path.join('/tmp', 'extriage-gpg-%d' % os.getpid())  # short: the agent's socket lies in it
    environment = dict(os.environ, GNUPGHOME=home)
    if shutil.which('gpg') and not subprocess.run(['gpg', '--version'], stdout=subprocess.DEVNULL).returncode:
        os.makedirs(home, mode=0o700)
        made = subprocess.run(['gpg', '--batch', '--quiet', '--passphrase', '', '--quick-gen-key', 'examiner@example.org', 'ed25519', 'sign',
                               'never'], env=environment, stderr=subprocess.PIPE)
        run = extriage('report', signed, '--sign', 'gpg:examiner@example.org', env=environment)
        good = subprocess.run(['gpg', '--verify', sums + '.asc', sums], env=environment, stderr=subprocess.PIPE)
        with open(sums, 'ab') as file:
            file.write(b'x')
        bad = subprocess.run(['gpg', '--verify', sums + '.asc', sums], env=environment, stderr=subprocess.PIPE)
        subprocess.run(['gpgconf', '--kill', 'gpg-agent'], env=environment, stderr=subprocess.DEVNULL)
        shutil.rmtree(home, ignore_errors=True)
        result(run.returncode == 0 and good.returncode == 0 and bad.returncode != 0, 'gpg verifies what --sign gpg: signed',
               '%s %s %s' % (made.stderr, run.stderr, good.stderr))
    else:
        skip('gpg verifies what --sign gpg: signed', 'there is no gpg')


def check_mail():
    """What would be found in a page is not found in a mailbox store: it is not looked into."""
    tree = os.path.join(WORK, 'mail')
    shutil.copytree(os.path.join(WORK, 'demo', 'folder'), tree)
    pages = os.path.join(tree, 'C', 'inetpub', 'wwwroot', 'aspnet_client')
    shell = content(pages, 'iispage.aspx')
    names = ('seen.aspx', 'export.pst', 'db.edb', 'E00.log', 'cache.ost')
    for name in names:
        with open(os.path.join(pages, name), 'wb') as file:
            file.write(shell)
    case = os.path.join(WORK, 'mail-case')
    run = extriage('run', tree, '-o', case, '-q')
    with open(os.path.join(case, 'timeline.jsonl'), encoding='utf-8') as file:
        lines = [json.loads(line) for line in file]
    found = {line['path'].rsplit('\\', 1)[1] for line in lines if line['rule'] == 'WS-01'}
    with open(os.path.join(case, 'files.csv'), encoding='utf-8', newline='') as file:
        listed = {row['path'].rsplit('\\', 1)[1]: row for row in csv.DictReader(file)}
    log = content(case, 'log.txt').decode(errors='replace')
    result('seen.aspx' in found and not found & set(names[1:]) and not [n for n in names[1:] if listed.get(n, {}).get('sha256')] and
           all('listed, not opened: C:\\inetpub\\wwwroot\\aspnet_client\\' + n in log for n in names[1:]),
           'mailbox databases and PST contents are never opened', '%s %s' % (found & set(names), run.stderr))
    single = extriage('run', os.path.join(pages, 'export.pst'), '-o', os.path.join(WORK, 'pst-case'), '-q')
    result(single.returncode == 3 and 'never opened' in content(WORK, 'pst-case', 'coverage.json').decode(),
           'not even one that is named as evidence, which is told', single.stderr)


# --- redaction ---

KNOWN = ('exch01', 'contoso', '203.0.113.', '198.51.100.', '192.0.2.', '2001:db8', '10.20.1.', 'fe80::', 'mail01', 'invalid.example',
         's-1-5-21-')


def secrets_of(database):
    """Users that the case names, from the fields that name some, and from profiles."""
    fields = rows_of(database, "SELECT DISTINCT t.atom AS text FROM indicator i, json_tree(i.fields) t WHERE t.key IN ('cs-username', "
                               "'AuthenticatedUser', 'TargetUserName', 'User') AND t.atom LIKE '%\\%' OR t.atom LIKE '%@%.example%'")
    found = {re.split(r'[\\\\@]', row['text'])[-1].lower() for row in fields}
    paths = ' '.join(row['path'] for row in rows_of(database, 'SELECT path FROM file UNION SELECT path FROM coverage'))
    found |= {name.lower() for name in re.findall(r'\\Users\\([^\\]+)\\', paths)}
    return {name for name in found if len(name) > 3} - {'administrator', 'public', 'default'}


def texts_of(case):
    for top, _, names in os.walk(case):
        for name in names:
            yield name, content(top, name).lower()


# What an operator writes may name what is to be hidden.
WORDS = ('--examiner', 'E. Xaminer', '--agency', 'Contoso police', '--description', 'a.meier@contoso.example on EXCH01, by 203.0.113.77')


def check_redaction(image, case):
    redacted = os.path.join(WORK, 'redacted')
    key = redacted + '-redaction-key.json'
    run = extriage('run', image, '-o', redacted, '--redact', '--format', 'all', *WORDS)
    names = sorted(n for n in os.listdir(case) if os.path.isfile(os.path.join(case, n)))
    result(run.returncode == 2 and sorted(os.listdir(redacted)) == names, '--redact writes every output but the copies of files',
           '%s %s' % (run.stderr, os.listdir(redacted)))
    pseudonyms = json_of(key)['pseudonyms']
    result(os.stat(key).st_mode & 0o777 == 0o600 and {p['value'] for p in pseudonyms} >= {'203.0.113.77', 'EXCH01', 'contoso.example'},
           'the key lies beside the case, for its owner alone', key)
    known = set(KNOWN) | {p['value'].lower() for p in pseudonyms if len(p['value']) > 3} | secrets_of(os.path.join(case, 'case.db'))
    left = []
    for name, text in list(texts_of(redacted)) + [('standard output', run.stdout.lower().encode()), ('errors', run.stderr.lower().encode())]:
        for word in known:
            at = text.find(word.encode())
            left += ['%s in %s: %r' % (word, name, text[max(0, at - 40):at + 40])] if at >= 0 else []
            left += ['%s in %s, as UTF-16' % (word, name)] if word.encode('utf-16-le') in text else []
    result(not left, 'nothing is left of %d users, addresses, hosts and domains' % len(known), '\n'.join(left))
    with open(os.path.join(redacted, 'timeline.jsonl'), encoding='utf-8') as file:
        lines = [json.loads(line) for line in file]
    with open(os.path.join(case, 'timeline.jsonl'), encoding='utf-8') as file:
        plain = [json.loads(line) for line in file]
    meaning = {p['pseudonym']: p['value'] for p in pseudonyms if p['kind'].startswith('ip-')}
    wrong = [line['fields'].get('c-ip') for line, was in zip(lines, plain) if 'c-ip' in was['fields'] and
             meaning.get(line['fields']['c-ip'].split('%')[0], line['fields']['c-ip']) != was['fields']['c-ip'].split('%')[0]]
    result([(l['timestamp'], l['rule'], l['raw_sha256']) for l in lines] == [(l['timestamp'], l['rule'], l['raw_sha256']) for l in plain] and
           not wrong, 'the same indicators, and the key gives the addresses back', wrong[:5])
    result({m.split('-')[1] for m in meaning} == {'public', 'private'}, 'private addresses are told from public ones', meaning)
    again = os.path.join(WORK, 'redacted-again')
    extriage('run', image, '-o', again, '--redact', '--format', 'all', '-q', '--jobs', '1', *WORDS)
    result(not different(redacted, again) and json_of(again + '-redaction-key.json') == json_of(key), 'pseudonyms are the same each time',
           different(redacted, again))
    run = extriage('run', image, '-o', os.path.join(WORK, 'third'), '--redact', '--redaction-key', key)
    result(run.returncode == 1 and 'there already' in run.stderr, 'a key is not overwritten unasked', run.stderr)


# --- many cases ---

def other_server(case):
    """The same case of another server: later by a day, without one of the addresses, with one shell of its own."""
    folder = os.path.join(WORK, 'second')
    shutil.copytree(case, folder)
    with sqlite3.connect(os.path.join(folder, 'case.db')) as database:
        database.executescript("""
            UPDATE indicator SET host = 'EXCH02', timestamp = timestamp + 86400000000 WHERE dated;
            UPDATE document SET body = json_set(body, '$.computer.value', 'EXCH02') WHERE name = 'host';
            UPDATE incident SET first = replace(first, '2021-03-03', '2021-03-04') WHERE kind = 'intrusion';
            UPDATE actor SET address = '198.51.100.77' WHERE address = '203.0.113.77';
            UPDATE incident_file SET sha256 = printf('%064d', 7) WHERE path LIKE '%iispage.aspx';""")
    state_sum(folder)
    return folder


def state_sum(folder):
    """SHA256SUMS has the hash of case.db as it is now."""
    path = os.path.join(folder, 'SHA256SUMS')
    text = content(path).decode()
    with open(path, 'w', encoding='utf-8') as file:
        file.write(re.sub(r'[0-9a-f]{64}  case\.db\n', hashlib.sha256(content(folder, 'case.db')).hexdigest() + '  case.db\n', text))


def changed_case(case, name, sql=None, cut=False, sums=True):
    """A copy of case.db and its SHA256SUMS, with something done to it."""
    folder = os.path.join(WORK, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for part in ('case.db', 'SHA256SUMS'):
        shutil.copy(os.path.join(case, part), folder)
    if sql:
        with sqlite3.connect(os.path.join(folder, 'case.db')) as database:
            database.executescript(sql)
    if cut:
        os.truncate(os.path.join(folder, 'case.db'), os.path.getsize(os.path.join(folder, 'case.db')) // 2)
    if not sums:
        os.unlink(os.path.join(folder, 'SHA256SUMS'))
    elif sums == 'stated':
        state_sum(folder)
    return folder


def check_members(case, second):
    """Cases that cannot be joined are told by name and reason, all of them at once; --skip-errors joins the rest and says so."""
    partial = os.path.join(WORK, 'partial')
    os.makedirs(partial, exist_ok=True)
    open(os.path.join(partial, 'case.db.partial'), 'wb').close()
    nothing = os.path.join(WORK, 'nothing')
    os.makedirs(nothing, exist_ok=True)
    open(os.path.join(nothing, 'case.db'), 'wb').close()
    bad = [('an unfinished case', partial, 'is not finished: extriage run --resume'),
           ('a redacted case', os.path.join(WORK, 'redacted'), 'is redacted'),
           ('a folder without a case', os.path.join(WORK, 'demo'), 'no finished case'),
           ('an empty database', nothing, 'holds no case of extriage'),
           ('a case that was changed', changed_case(case, 'touched', 'UPDATE verdict SET rung = 0'), 'not what its run wrote'),
           ('a case that was cut short', changed_case(case, 'cut', cut=True, sums=False), 'is damaged'),
           ('a case of an older version', changed_case(case, 'older', 'PRAGMA user_version = 1', sums='stated'), 'older version'),
           ('a case of a newer version', changed_case(case, 'newer', 'PRAGMA user_version = 999', sums='stated'), 'newer version'),
           ('a copy of a case', changed_case(case, 'twin'), 'is a copy of the case in'),
           ('a second run over the same evidence',
            changed_case(case, 'z-rerun', "DELETE FROM indicator WHERE rowid = 1", sums='stated'), 'holds the same evidence as'),
           ('a folder that is not there', os.path.join(WORK, 'gone'), 'cannot read')]
    never = os.path.join(WORK, 'never')
    for name, folder, words in bad + [('the same case twice', case, 'is given twice')]:
        run = extriage('merge', case, folder, '-o', never)
        told = [line for line in run.stderr.splitlines() if words in line and folder in line]
        result(run.returncode == 1 and told and '1 of 2 cases cannot be joined' in run.stderr and not os.path.exists(never),
               '%s is refused with the reason' % name, run.stderr)
    folders = [folder for _, folder, _ in bad]
    run = extriage('merge', case, second, *folders, '-o', never)
    result(run.returncode == 1 and all(folder in run.stderr for folder in folders) and not os.path.exists(never),
           'all that is wrong is told at once', run.stderr)
    rest = os.path.join(WORK, 'rest')
    run = extriage('merge', case, second, *folders, '-o', rest, '--skip-errors')
    report = json_of(rest, 'fleet.json') if os.path.exists(os.path.join(rest, 'fleet.json')) else {'left_out': [], 'servers': []}
    result(run.returncode == 3 and sorted(l['folder'] for l in report['left_out']) == sorted(folders) and len(report['servers']) == 2 and
           'left out: ' in run.stderr,
           '--skip-errors joins the others, names those left out and gives 3', run.stderr + str(report['left_out']))
    result('Left out' in content(rest, 'fleet.md').decode(), 'fleet.md names them too')
    evil = changed_case(case, '<img src=x>', "UPDATE document SET body = json_set(body, '$.computer.value', '<script>1</script>') WHERE name = 'host'", sums='stated')
    extriage('merge', case, evil, partial, '-o', rest, '--skip-errors', '--clobber', '-q')
    text = content(rest, 'fleet.html').decode()
    result('<script' not in text and '<img' not in text and '&lt;script&gt;1&lt;/script&gt;' in text and '&lt;img src=x&gt;' in text and
           '1 case was left out' in text and 'is not finished' in text, 'names of hosts and folders are text in fleet.html')
    blank = []
    for name in ('blank', 'empty'):
        os.makedirs(os.path.join(WORK, name + '-evidence'))
        with open(os.path.join(WORK, name + '-evidence', 'notes.txt'), 'w', encoding='utf-8') as file:
            file.write('nothing of interest, %s\n' % name)
        blank.append(os.path.join(WORK, name))
        extriage('run', os.path.join(WORK, name + '-evidence'), '-o', blank[-1], '-q')
    run = extriage('merge', *blank, '-o', os.path.join(WORK, 'blanks'))
    result(run.returncode == 0 and '2 servers, 0 of them broken into (of 2 it cannot be told)' in run.stdout, 'cases in which nothing was read are not taken for one',
           run.stdout + run.stderr)
    text = content(WORK, 'blanks', 'fleet.html').decode()
    result('No intrusion is seen on 2 servers' in text and 'The host of 2 cases is not known' in text and
           '<dt>Cannot be told</dt><dd><b>2</b>' in text and '<dt>No trace</dt><dd><b>0</b>' in text, 'fleet.html says so', text[-3000:])
    verdict, page = json_of(blank[0], 'findings.json')['verdict'], content(blank[0], 'report.html').decode()
    result((verdict['name'], verdict['confidence'], verdict['determinable']) == ('cannot be told', 'not_determinable', False) and 'verdict watch' in page and
           'aria-current="step"' not in page and '<b>Cannot be told</b>' in page, 'a case without logs reads nowhere as a clean one', '%s' % verdict)
    run = extriage('merge', *folders[:3], '-o', never, '--skip-errors')
    result(run.returncode == 1 and 'none of the cases can be joined' in run.stderr and not os.path.exists(never),
           'nothing is written when none is left', run.stderr)


def check_merge(case):
    second, fleet = other_server(case), os.path.join(WORK, 'fleet')
    run = extriage('merge', second, case, '-o', fleet, '--format', 'jsonl,csv')
    result(run.returncode == 0 and '2 servers, 2 of them broken into' in run.stdout, 'merge joins two cases', run.stdout + run.stderr)
    report = json_of(fleet, 'fleet.json')
    result([(s['case'], s['host'], s['infected'][:10]) for s in report['order']] ==
           [('case', 'EXCH01', '2021-03-03'), ('second', 'EXCH02', '2021-03-04')], 'in the order of infection', report['order'])
    addresses = {a['address']: a['cases'] for a in report['addresses']}
    result(addresses['198.51.100.203'] == ['case', 'second'] and addresses['203.0.113.77'] == ['case'] and
           addresses['198.51.100.77'] == ['second'], 'shared addresses are told from those of one server', addresses)
    files = {f['path'].rsplit('\\', 1)[1]: f['servers'] for f in report['files'] if f['sha256'] != '%064d' % 7}
    result(files['OutlookZH.aspx'] == 2 and files['iispage.aspx'] == 1 and
           any(a['agent'] == 'antSword/v2.1' and a['servers'] == 2 for a in report['agents']), 'so are files and user agents', files)
    with open(os.path.join(fleet, 'timeline.jsonl'), encoding='utf-8') as file:
        lines = [json.loads(line) for line in file]
    with open(os.path.join(case, 'timeline.jsonl'), encoding='utf-8') as file:
        own = [json.loads(line) for line in file]
    kept = [{k: v for k, v in line.items() if k != 'case'} for line in lines if line['case'] == 'case']
    times = [line['timestamp'] for line in lines]
    result(kept == own and len(lines) == 2 * len(own) and times == sorted(times), 'one timeline of both, in time order')
    with open(os.path.join(fleet, 'timeline.csv'), encoding='utf-8', newline='') as file:
        result([r['case'] for r in csv.DictReader(file)] == [l['case'] for l in lines], 'timeline.csv holds the same')
    database = os.path.join(fleet, 'fleet.db')
    joined = rows_of(database, 'SELECT i."case", count(*) AS n FROM incident_indicator x JOIN indicator i ON i."case" = x."case" AND '
                               'i.source_row = x.indicator GROUP BY 1')
    alone = rows_of(os.path.join(case, 'case.db'), 'SELECT count(*) AS n FROM incident_indicator')[0]['n']
    result([row['n'] for row in joined] == [alone, alone] and rows_of(database, 'PRAGMA integrity_check')[0]['integrity_check'] == 'ok',
           'fleet.db holds the rows of both, which find each other', joined)
    text = content(fleet, 'fleet.md').decode()
    result('EXCH02' in text and '198.51.100.203' in text, 'fleet.md tells it to people')
    text = content(fleet, 'fleet.html').decode()
    result('2 of 2 servers were broken into' in text and 'EXCH02' in text and '198.51.100.203' in text and '<rect class="span"' in text and
           '<script' not in text and "default-src 'none'" in text, 'fleet.html shows it, without a script')
    sums = subprocess.run(['sha256sum', '--quiet', '-c', 'SHA256SUMS'], cwd=fleet, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    result(sums.returncode == 0, 'SHA256SUMS holds for the fleet', sums.stdout)
    again = os.path.join(WORK, 'fleet-again')
    extriage('merge', case, second, '-o', again, '-q', '--format', 'jsonl,csv')
    result(not different(fleet, again, ()), 'the order on the command line does not matter', different(fleet, again, ()))
    result(not os.path.exists(os.path.join(WORK, 'plain', 'timeline.csv')) and extriage('merge', case, second, '-o', os.path.join(WORK, 'plain'), '-q').returncode == 0 and
           sorted(os.listdir(os.path.join(WORK, 'plain'))) == ['SHA256SUMS', 'fleet.db', 'fleet.html', 'fleet.json', 'fleet.md', 'timeline.jsonl'],
           'without --format one timeline is written')
    check_members(case, second)
    run = extriage('merge', case, second, '-o', case, '--clobber')
    result(run.returncode == 1 and os.path.exists(os.path.join(case, 'case.db')), 'a case is not overwritten by a fleet', run.stderr)


def main():
    image = build()
    case = os.path.join(WORK, 'case')
    run = extriage('run', image, '-o', case, '--format', 'all', '-q')
    result(run.returncode == 2, 'run --format all', run.stderr)
    check_stix(case)
    check_misp(case)
    check_case_uco(case)
    check_dfxml(case)
    check_markdown(case)
    check_database(case)
    check_sameness(image, case)
    check_custody(image, case)
    check_changed_evidence(image)
    check_signatures(case)
    check_mail()
    check_redaction(image, case)
    check_merge(case)
    shutil.rmtree(WORK, ignore_errors=True)
    return plan()


if __name__ == '__main__':
    sys.exit(main())
