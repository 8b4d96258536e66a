#!/usr/bin/env python3
"""TAP: `merge --to postgresql://...` against a real server of its own, on a socket in a folder of its own."""
import glob
import json
import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(SOURCE, 'tests', 'bench'))
import cases
from program import PROGRAM, extriage
from tap import plan, result, skip_all

PASSWORD = 'open-sesame'
TABLES = ('indicator', 'fact', 'coverage', 'file', 'incident', 'actor', 'incident_file', 'step', 'incident_indicator', 'cve', 'rule', 'unread',
          'notice', 'verdict', 'taken', 'lead', 'passage', 'check_result', 'finding_indicator', 'verdict_limit', 'exchange', 'build_history', 'mitigation',
          'mitigation_span', 'mitigation_gap', 'configuration', 'moved', 'remnant', 'destroyed', 'retention')


def programs():
    """The folder with initdb and postgres, or None."""
    for folder in sorted(glob.glob('/usr/lib/postgresql/*/bin'), reverse=True):
        if os.path.exists(os.path.join(folder, 'initdb')) and shutil.which('psql'):
            return folder
    return None


class Server:
    """postgres refuses to run as root: then as the user that Debian made for it, or nobody."""

    def __init__(self, folder, programs_folder):
        self.folder = folder
        self.user = []
        if os.geteuid() == 0:
            name = next(n for n in ('postgres', 'nobody') if n in {p.pw_name for p in pwd.getpwall()})
            os.chown(folder, pwd.getpwnam(name).pw_uid, pwd.getpwnam(name).pw_gid)
            self.user = ['runuser', '-u', name, '--']
        os.chmod(folder, 0o755)
        self.data = os.path.join(folder, 'data')
        run = self.run([os.path.join(programs_folder, 'initdb'), '-D', self.data, '-U', 'examiner', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '-N'])
        if run.returncode:
            raise RuntimeError(run.stdout)
        self.process = subprocess.Popen(self.user + [os.path.join(programs_folder, 'postgres'), '-D', self.data, '-k', folder, '-c', 'listen_addresses=',
                                                     '-c', 'fsync=off'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
        for _ in range(200):
            if self.query('SELECT 1', 'postgres') == ['1']:
                break
            time.sleep(0.1)
        self.query('CREATE DATABASE cases', 'postgres')

    def run(self, command):
        return subprocess.run(self.user + command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace', cwd=self.folder)

    def psql(self, database='cases'):
        return ['psql', '-h', self.folder, '-U', 'examiner', '-At', '-q', '-v', 'ON_ERROR_STOP=1', database]

    def query(self, sql, database='cases'):
        run = subprocess.run(self.psql(database) + ['-c', sql], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')
        return run.stdout.splitlines()

    def number(self, sql):
        lines = self.query(sql)
        return int(lines[0]) if lines and lines[0].isdigit() else lines

    def target(self, database='cases', password=PASSWORD):
        return 'postgresql://examiner:%s@/%s?host=%s' % (password, database, self.folder)

    def stop(self):
        self.process.terminate() if not self.user else self.run(['kill', '-INT', open(os.path.join(self.data, 'postmaster.pid')).readline().strip()])
        self.process.wait(30)


def merge(server, *folders, **more):
    return extriage('merge', *folders, '--to', server.target(**more))


def totals(server):
    return {table: server.number('SELECT count(*) FROM extriage.%s' % table) for table in TABLES}


def changed(folder, sql):
    with sqlite3.connect(os.path.join(folder, 'case.db')) as database:
        database.executescript(sql)
    return folder


def check_rows(server, folders, work):
    run = merge(server, *folders)
    result(run.returncode == 0 and '3 cases added, 0 replaced, 0 there already' in run.stdout and PASSWORD not in run.stdout + run.stderr,
           'three cases are added; the password is not shown', run.stdout + run.stderr)
    fleet = os.path.join(work, 'fleet')
    extriage('merge', *folders, '-o', fleet, '-q')
    with sqlite3.connect(os.path.join(fleet, 'fleet.db')) as database:
        wanted = {table: database.execute('SELECT count(*) FROM "%s"' % table).fetchone()[0] for table in TABLES}
        sums = database.execute('SELECT sum(length(raw)), sum(timestamp % 1000003), sum(source_row) FROM indicator').fetchone()
        agents = database.execute('SELECT count(*), sum(indicator_count) FROM agent').fetchone()
    found = totals(server)
    result(found == wanted and wanted['indicator'] > 1000, 'each table has the rows that fleet.db has', {k: (wanted[k], found[k]) for k in wanted if wanted[k] != found[k]})
    result(server.query('SELECT sum(length(raw)), sum(timestamp %% 1000003), sum(source_row) FROM extriage.indicator'.replace('%%', '%')) ==
           ['|'.join(str(s) for s in sums)], 'with the same content')
    result(server.query('SELECT count(*), sum(indicator_count) FROM extriage.agent') == ['%d|%d' % agents], 'user agents of intruders are found alike')
    with open(os.path.join(fleet, 'fleet.json'), encoding='utf-8') as file:
        report = json.load(file)
    addresses = sorted('%s|%d|%s|%d' % (a['address'], a['servers'], ','.join(a['cases']), a['indicator_count']) for a in report['addresses'])
    result(sorted(server.query('SELECT address, servers, cases, indicator_count FROM extriage.v_shared_address WHERE intruder OR servers > 1')) == addresses,
           'shared addresses are those of the report', addresses)
    files = sorted('%s|%d' % (f['sha256'], f['servers']) for f in report['files'])
    result(sorted(server.query('SELECT sha256, servers FROM extriage.v_shared_file')) == files, 'so are files', files)
    result(server.query('SELECT "case" FROM extriage.v_order') == [row['case'] for row in report['order']], 'and the order of infection')
    with open(os.path.join(fleet, 'timeline.jsonl'), encoding='utf-8') as file:
        times = sorted(json.loads(line)['datetime'] for line in file)
    result(sorted(server.query("SET timezone TO 'UTC'; SELECT to_char(time, 'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00') FROM extriage.v_timeline WHERE time IS NOT NULL")) == times,
           'times are exact to the microsecond')
    for view in ('v_incident', 'v_cve', 'v_coverage', 'v_rule', 'v_shared_agent', 'v_moved', 'v_log'):
        count = server.number('SELECT count(*) FROM extriage.%s' % view)
        result(isinstance(count, int) and count > 0, 'the view %s has rows' % view, count)


def check_again(server, folders, work):
    before = totals(server)
    run = merge(server, *folders)
    result('0 cases added, 0 replaced, 3 there already' in run.stdout and totals(server) == before, 'the same cases again change nothing', run.stdout + run.stderr)
    moved = os.path.join(work, 'moved')
    shutil.copytree(folders[0], moved)
    run = merge(server, moved)
    result('1 there already' in run.stdout and totals(server) == before, 'nor does a copy of one elsewhere', run.stdout + run.stderr)
    changed(moved, 'DELETE FROM indicator WHERE rowid = (SELECT max(rowid) FROM indicator)')
    run = merge(server, moved)
    after = totals(server)
    result('1 replaced' in run.stdout and after['indicator'] == before['indicator'] - 1 and after['coverage'] == before['coverage'],
           'another run over the same evidence takes the place of the earlier one', run.stdout + run.stderr + str(after))
    result(server.query("SELECT name FROM extriage.server ORDER BY 1") == ['moved', 'server-0002', 'server-0003'], 'each server is there once')


def check_hostile(server, folders, work):
    odd = cases.other_server(os.path.join(folders[0], 'case.db'), os.path.join(work, 'odd'), 77)
    changed(odd, r"""UPDATE indicator SET fields = '{"a":"x\u0000y","b":"\\u0000","c":"\\\u0000"}', path = CAST(x'61ff62' AS TEXT) WHERE rowid = 1;
                     UPDATE indicator SET message = 'a' || char(9) || '\N \. "quoted", ' || char(10) || 'DROP TABLE', timestamp = 9223372036854 * 100000 WHERE rowid = 2;
                     UPDATE indicator SET raw = x'00ff0a5c2e' WHERE rowid = 3;""")
    run = merge(server, odd)
    row = server.query("SELECT fields ->> 'a', fields ->> 'b', fields ->> 'c', path FROM extriage.indicator i JOIN extriage.server s ON s.number = i.server "
                       "WHERE s.name = 'odd' AND source_row = 1")
    result(run.returncode == 0 and row == ['x\ufffdy|\\u0000|\\\ufffd|a\ufffdb'], 'NUL and bytes that are no UTF-8 become U+FFFD, escapes stay whole', str(row) + run.stderr)
    row = server.query("SELECT message = E'a\\t\\\\N \\\\. \"quoted\", \\nDROP TABLE' FROM extriage.indicator i JOIN extriage.server s ON s.number = i.server WHERE s.name = 'odd' AND source_row = 2")
    result(row == ['t'], 'what looks like COPY, CSV and SQL is text', row)
    row = server.query("SELECT encode(raw, 'hex') FROM extriage.indicator i JOIN extriage.server s ON s.number = i.server WHERE s.name = 'odd' AND source_row = 3")
    result(row == ['00ff0a5c2e'], 'records are kept to the byte', row)
    row = server.query("SELECT count(*), max(time) > '30000-01-01' FROM extriage.v_timeline WHERE \"case\" = 'odd'")
    result(row and row[0].endswith('|t'), 'a time far away does not break the view', row)


def check_all_or_nothing(server, folders, work):
    fresh = [cases.other_server(os.path.join(folders[0], 'case.db'), os.path.join(work, 'fresh-%d' % n), 90 + n) for n in (1, 2)]
    before, names = totals(server), server.query('SELECT name FROM extriage.server ORDER BY 1')
    server.query("ALTER TABLE extriage.verdict ADD CONSTRAINT refuses CHECK (summary <> 'refused') NOT VALID")
    changed(fresh[1], "UPDATE verdict SET summary = 'refused'")
    run = merge(server, *fresh)
    result(run.returncode == 1 and 'the database has not changed' in run.stderr and fresh[1] in run.stderr and "table 'verdict'" in run.stderr and
           totals(server) == before and server.query('SELECT name FROM extriage.server ORDER BY 1') == names,
           'a case that is refused half-way leaves nothing behind, nor do those before it', run.stderr)
    server.query('ALTER TABLE extriage.verdict DROP CONSTRAINT refuses')
    # Somebody holds a table; then the connection is cut.
    with subprocess.Popen(server.psql(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as holder:
        holder.stdin.write('BEGIN; LOCK TABLE extriage.verdict;\n')
        holder.stdin.flush()
        wait_for(lambda: server.number("SELECT count(*) FROM pg_locks WHERE relation = 'extriage.verdict'::regclass AND granted"))
        with subprocess.Popen([PROGRAM, 'merge', *fresh, '--to', server.target()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'extriage' AND wait_event_type = 'Lock'"
            blocked = wait_for(lambda: server.number(waits))
            with open('/proc/%d/cmdline' % process.pid, encoding='utf-8', errors='replace') as file:
                line = file.read()
            result(blocked and PASSWORD not in line and 'merge' in line, 'other users of the machine do not see the password', line)
            server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'extriage'")
            said = process.communicate(timeout=60)[1]
        holder.stdin.write('ROLLBACK;\n')
        holder.stdin.close()
    result(process.returncode == 1 and 'the database has not changed' in said and PASSWORD not in said and totals(server) == before,
           'nor does a connection that is cut', said)
    changed(fresh[1], "UPDATE verdict SET summary = 'mended'")
    both = [subprocess.Popen([PROGRAM, 'merge', folder, '--to', server.target(), '-q'], stderr=subprocess.PIPE, text=True) for folder in fresh]
    said = [process.communicate(timeout=120)[1] for process in both]
    result([p.returncode for p in both] == [0, 0] and server.number('SELECT count(*) FROM extriage.server') == len(names) + 2,
           'two merges at a time wait for each other', said)


def check_refusals(server, folders, work):
    server.query('UPDATE extriage.meta SET schema_version = schema_version + 1')
    run = merge(server, folders[1])
    server.query('UPDATE extriage.meta SET schema_version = schema_version - 1')
    result(run.returncode == 1 and 'holds cases of schema' in run.stderr, 'a database of another version is refused', run.stderr)
    for name, target, words in (('a database that is not there', server.target('nothing'), 'does not exist'),
                                ('a server that is not there', 'postgresql://examiner:%s@127.0.0.1:1/cases' % PASSWORD, 'refused'),
                                ('an address that is none', 'postgresql://examiner:%s%%zz@127.0.0.1:1/cases' % PASSWORD, 'percent-encoded'),
                                ('a password as a parameter', 'postgresql://127.0.0.1:1/cases?user=examiner&password=%s' % PASSWORD, 'refused'),
                                ('two passwords', 'postgresql://examiner:%s@127.0.0.1:1/cases?password=%s' % (PASSWORD, PASSWORD), 'refused'),
                                ('another kind of address', 'mysql://examiner:%s@127.0.0.1/cases' % PASSWORD, 'wants postgresql://')):
        run = extriage('merge', folders[1], '--to', target, '-o', os.path.join(work, 'never'))
        result(run.returncode == 1 and words in run.stderr and PASSWORD not in run.stderr and not os.path.exists(os.path.join(work, 'never')),
               '%s is told clearly, without the password, and nothing is written' % name, run.stderr)


def wait_for(ask, seconds=30):
    for _ in range(seconds * 20):
        answer = ask()
        if answer:
            return answer
        time.sleep(0.05)
    return None


def build(work):
    demo, case = os.path.join(work, 'demo'), os.path.join(work, 'case')
    made = subprocess.run([os.path.join(SOURCE, 'fixtures', 'make_demo.sh'), demo, '--formats', 'folder'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if made.returncode:
        return None
    extriage('run', os.path.join(demo, 'folder'), '-o', case, '-q', '--no-files')
    return cases.make(case, os.path.join(work, 'cases'), 3, 1000)


def main():
    folder = programs()
    if not folder:
        return skip_all('there is no PostgreSQL server')
    if 'built without libpq' in extriage('merge', '.', '--to', 'postgresql:///x').stderr:
        return skip_all('built without libpq')
    with tempfile.TemporaryDirectory(prefix='extriage-pg-') as socket_folder, tempfile.TemporaryDirectory(prefix='extriage-pg-work-') as work:
        folders = build(work)
        if not folders:
            return skip_all('the demonstration evidence cannot be built')
        server = Server(socket_folder, folder)
        try:
            check_rows(server, folders, work)
            check_again(server, folders, work)
            check_hostile(server, folders, work)
            check_all_or_nothing(server, folders, work)
            check_refusals(server, folders, work)
        finally:
            server.stop()
    return plan()


if __name__ == '__main__':
    sys.exit(main())
