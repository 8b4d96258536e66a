#!/usr/bin/env python3
"""TAP: a case that came from somebody else and was made to harm: `report` and `merge` over copies of a case whose database was changed. Its schema
may run nothing, its texts stay texts in all outputs, what cannot be is refused with a sentence; nothing crashes, hangs or leaves the folder."""
import hashlib
import json
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys

from tap import has_sanitizers, plan, result, skip_all

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
WORK = os.path.join(BUILD, 'tests', 'case-work')
OUTSIDE = os.path.join(WORK, 'outside.db')
PAYLOAD = '</script><script>alert(1)</script>\n=cmd\x1b[31m","x":1}'
SECONDS = 60

CHANGED = 'was changed, and is not read'
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT '' evidence, 0 volume, 0 snapshot, '' path, '' artifact, 0 offset, 'x' text FROM c"
REFUSED = {
    'a view without end in the place of a table': 'DROP TABLE unread; CREATE VIEW unread AS ' + ENDLESS,
    'a trigger': 'CREATE TRIGGER t AFTER INSERT ON document BEGIN DELETE FROM indicator; END',
    'a table whose name holds statements': 'CREATE TABLE "a"" (x); ATTACH \'%s\' AS p; CREATE TABLE p.t(x); --" (x)' % OUTSIDE,
    'a table of the name that merge uses': 'CREATE TABLE server (x)',
    'a virtual table': 'CREATE VIRTUAL TABLE t USING fts4(a)',
    'a computed column': 'ALTER TABLE coverage ADD COLUMN more AS (length(path))',
    'an index on an expression': 'CREATE INDEX more ON indicator (length(message))',
    'a document that is no JSON': "UPDATE document SET body = 'no JSON' WHERE name = 'findings'",
    'documents of nothing': 'UPDATE document SET body = NULL',
    'a document of bytes': 'UPDATE document SET body = zeroblob(1000000)',
    'a document nested too deep': "UPDATE document SET body = '%s'" % ('[' * 50000 + ']' * 50000),
    'tags that are no JSON': "UPDATE rule SET tags = '%s'" % PAYLOAD.replace("'", "''"),
    'rules with numbers that are far too high': 'UPDATE rule SET "index" = 4611686018427487904',
    'a copy that lies outside of the case': "UPDATE file SET stored = 'files/../../secret' WHERE stored <> ''",
    'a copy with an absolute path': "UPDATE file SET stored = '/etc/passwd' WHERE stored <> ''",
    'a copy with a line of its own in SHA256SUMS': "UPDATE file SET stored = 'files/x' || char(10) || sha256 || '  ../secret' WHERE stored <> ''",
    'a copy without a hash': "UPDATE file SET sha256 = '', stored = 'files/x'",
}
TAKEN = {
    'fields that are no JSON': "UPDATE indicator SET fields = '%s'" % PAYLOAD,
    'fields of several lines': "UPDATE indicator SET fields = '{\"a\":1,' || char(10) || '\"b\":\"</script>\"}'",
    'no fields at all': 'UPDATE indicator SET fields = NULL, raw = NULL, path = NULL, host = NULL',
    'damage that is no JSON': "UPDATE coverage SET damage = '%s'" % PAYLOAD,
    'days that are none': "UPDATE coverage SET days = '%s', hours = '%s'" % (PAYLOAD, PAYLOAD),
    'levels that are too high': 'UPDATE indicator SET level = 100000',
    'levels below zero': 'UPDATE indicator SET level = -7',
    'times before all time': 'UPDATE indicator SET timestamp = -9223372036854775808',
    'times after all time': 'UPDATE indicator SET timestamp = 9223372036854775807',
    'indicators without rules': 'DELETE FROM rule',
    'context of no indicator': 'UPDATE context SET near = 999999999',
    'other things than lists in the documents': "UPDATE document SET body = '{\"verdict\":1,\"incidents\":{\"a\":1},\"evidence\":7,\"indicators\":7}'",
    'lists of texts instead of numbers':
        "UPDATE document SET body = replace(body, '\"indicators\": [' || char(10), '\"indicators\": [\"1]</script><script>alert(1)</script>\",') WHERE name = 'findings'",
}
CHECKED = {'tags', 'stored', 'body'}  # what is looked at when a case is opened
for table in ('indicator', 'rule', 'coverage', 'fact', 'context', 'unread', 'notice', 'file', 'rejected', 'verdict', 'incident', 'actor', 'incident_file', 'step', 'cve', 'taken',
              'lead'):
    TAKEN['hostile texts in the table ' + table] = table


def program(*arguments):
    memory = None if has_sanitizers(PROGRAM) else (1 << 30, 1 << 30)

    def limits():
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 28, 1 << 28))
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, memory)
    return subprocess.run([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors='replace', preexec_fn=limits, timeout=1200)


def build():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    demo, case = os.path.join(WORK, 'demo'), os.path.join(WORK, 'case')
    made = subprocess.run([os.path.join(SOURCE, 'fixtures', 'make_demo.sh'), demo, '--formats', 'folder'],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode == 77:
        skip_all(made.stdout.strip().splitlines()[-1])
        sys.exit(0)
    run = program('run', os.path.join(demo, 'folder'), '-o', case, '-q')
    result(run.returncode == 2, 'a case is made', run.stderr)
    return case


def text_columns(database, table):
    """A statement that puts the payload into all of them."""
    columns = [row[1] for row in database.execute('PRAGMA table_info(%s)' % table) if row[2] == 'TEXT' and not row[5] and row[1] not in CHECKED]
    columns = [c for c in columns if (table, c) != ('file', 'sha256')]
    return "UPDATE %s SET %s" % (table, ', '.join('"%s" = \'%s\'' % (column, PAYLOAD) for column in columns))


def changed(case, sql):
    """A copy of the database, changed, with a SHA256SUMS that says that it is whole; of a server of its own."""
    folder = os.path.join(WORK, 'changed')
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    shutil.copy(os.path.join(case, 'case.db'), folder)
    database = sqlite3.connect(os.path.join(folder, 'case.db'))
    database.executescript(sql if ' ' in sql or not sql else text_columns(database, sql))
    database.execute('UPDATE coverage SET bytes = bytes + 1')
    database.commit()
    database.close()
    with open(os.path.join(folder, 'case.db'), 'rb') as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    with open(os.path.join(folder, 'SHA256SUMS'), 'w', encoding='ascii') as file:
        file.write(digest + '  case.db\n')
    return folder


def text_of(folder, name):
    with open(os.path.join(folder, name), encoding='utf-8', errors='replace', newline='') as file:
        return file.read()


def is_json(text):
    try:
        json.loads(text)
        return True
    except ValueError:
        return False


def problems_of(folder):
    """What is wrong in the outputs."""
    problems = []
    for name in sorted(os.listdir(folder)):
        if name in ('case.db', 'files', 'fleet.db'):
            continue
        text = text_of(folder, name)
        if name.endswith('.jsonl'):
            problems += ['%s: %s' % (name, line[:200]) for line in text.split('\n') if line and not is_json(line)][:1]
        elif name.endswith(('.json', '.jsonld')) and not is_json(text):
            problems.append(name + ' is no JSON')
        if name.endswith(('.html', '.xml')) and '<script>alert' in text:
            problems.append(name + ' holds a script')
        if name != 'SHA256SUMS' and '\x1b' in text:
            problems.append(name + ' holds an escape sequence')
        if name == 'SHA256SUMS':
            problems += [line for line in text.splitlines() if not re.fullmatch(r'[0-9a-f]{64}  (files/.*|[\w.-]+)', line) or '/../' in line]
    return problems


def check(case, name, sql, refused):
    folder, fleet = changed(case, sql), os.path.join(WORK, 'fleet')
    shutil.rmtree(fleet, ignore_errors=True)
    report = program('report', folder, '--format', 'all')
    made = [] if refused else problems_of(folder)
    merge = program('merge', folder, case, '-o', fleet, '--skip-errors')
    if refused:
        result(report.returncode == 1 and CHANGED in report.stderr and sorted(os.listdir(folder)) == ['SHA256SUMS', 'case.db'],
               'report refuses ' + name, '%d %s' % (report.returncode, report.stderr))
        result(merge.returncode == 3 and 'left out: ' in merge.stderr and CHANGED in merge.stderr, 'merge leaves out a case with ' + name,
               '%d %s' % (merge.returncode, merge.stderr))
    else:
        result(report.returncode == 0 and not made and 'anitizer' not in report.stderr, 'report bears ' + name,
               '%d %s %s' % (report.returncode, made, report.stderr))
        made = problems_of(fleet) if os.path.isdir(fleet) else ['no fleet']
        result(merge.returncode == 0 and not made, 'merge bears ' + name, '%d %s %s' % (merge.returncode, made, merge.stderr))


def check_files(case):
    """What lies in the place of a file may have no end."""
    folder, fleet = changed(case, ''), os.path.join(WORK, 'fleet')
    for what, make in (('a pipe', os.mkfifo), ('a link to what has no end', lambda path: os.symlink('/dev/zero', path))):
        sums = os.path.join(folder, 'SHA256SUMS')
        os.unlink(sums)
        make(sums)
        shutil.rmtree(fleet, ignore_errors=True)
        merge = program('merge', folder, case, '-o', fleet)
        result(merge.returncode == 0, 'merge bears %s in the place of SHA256SUMS' % what, merge.stderr)
    os.unlink(os.path.join(folder, 'case.db'))
    os.mkfifo(os.path.join(folder, 'case.db'))
    report = program('report', folder)
    result(report.returncode == 1 and 'is no file' in report.stderr, 'report refuses a pipe in the place of case.db', report.stderr)


def main():
    case = build()
    check_files(case)
    for name, sql in REFUSED.items():
        check(case, name, sql, True)
    for name, sql in TAKEN.items():
        check(case, name, sql, False)
    result(not os.path.exists(OUTSIDE), 'no file was made outside')
    shutil.rmtree(WORK, ignore_errors=True)
    return plan()


if __name__ == '__main__':
    sys.exit(main())
