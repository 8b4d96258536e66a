"""Many finished cases for `extriage merge`, made of one: copies with other names, addresses, shells and times.

    cases.py CASE OUT COUNT INDICATORS [--short]    OUT/server-0001 ...; --short: records of some dozen bytes
"""
import os
import shutil
import sqlite3
import sys


def template(case, path, indicators, short):
    """case.db with so many indicators: those of the case again and again, later each time."""
    shutil.copy(os.path.join(case, 'case.db'), path)
    with sqlite3.connect(path, isolation_level=None) as db:
        db.execute('PRAGMA journal_mode=OFF')
        db.execute('BEGIN')
        if short:
            db.execute("UPDATE indicator SET raw = substr(raw, 1, 40), message = substr(message, 1, 40), fields = json_object('c-ip', "
                       "coalesce(json_extract(fields, '$.\"c-ip\"'), '-'), 'cs-user-agent', json_extract(fields, '$.\"cs-user-agent\"'))")
            db.execute('DELETE FROM coverage WHERE rowid % 100')
            db.execute('DELETE FROM file WHERE rowid % 100')
        columns = [row[1] for row in db.execute('PRAGMA table_info(indicator)')]
        own, dated = db.execute('SELECT count(*), sum(dated) FROM indicator').fetchone()
        copies = max(0, -(-(indicators - own) // dated))
        changed = {'timestamp': 'timestamp + n * 7919123', 'offset': 'offset + n', 'record': 'record + n'}
        db.execute('WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < ?) INSERT INTO indicator (%s) '
                   'SELECT %s FROM copy, indicator WHERE dated ORDER BY 2 LIMIT ?' % (
                       ', '.join('"%s"' % c for c in columns), ', '.join(changed.get(c, '"%s"' % c) for c in columns)),
                   (copies, max(0, indicators - own)))
        db.execute('COMMIT')
        db.execute('VACUUM')


def other_server(source, folder, number):
    """Every third server shares its shells with others, every address is one of a few; a tenth was only scanned."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, 'case.db')
    shutil.copyfile(source, path)
    with sqlite3.connect(path, isolation_level=None) as db:
        db.executescript("""
            PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;
            UPDATE document SET body = json_set(body, '$.computer.value', 'EXCH%(n)04d') WHERE name = 'host';
            UPDATE incident SET first = strftime('%%Y-%%m-%%dT%%H:%%M:%%S.000000+00:00', first, '+%(m)d minutes') WHERE kind = 'intrusion';
            UPDATE actor SET address = '198.51.100.%(a)d' WHERE NOT private AND rowid %% 3 = 1;
            UPDATE incident_file SET sha256 = printf('%%064x', %(h)d + rowid) WHERE rowid %% 2 AND sha256 <> '';
            COMMIT;""" % {'n': number, 'm': number * 37 % 5000, 'a': number % 50, 'h': number % 3 and number * 100})
        if number % 10 == 0:
            db.executescript("""
                BEGIN;
                UPDATE verdict SET rung = 1, name = 'scanned or probed', confidence = 'none', summary = 'It was scanned; no request is seen to have succeeded.';
                UPDATE incident SET kind = 'scanning', rung = 1, name = 'scanned or probed' WHERE kind = 'intrusion'; COMMIT;""")
    return folder


def make(case, out, count, indicators, short=False):
    os.makedirs(out, exist_ok=True)
    source = os.path.join(out, 'template.db')
    if not os.path.exists(source):
        template(case, source + '.part', indicators, short)
        os.rename(source + '.part', source)
    return [other_server(source, os.path.join(out, 'server-%04d' % number), number) for number in range(1, count + 1)]


if __name__ == '__main__':
    make(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), '--short' in sys.argv)
