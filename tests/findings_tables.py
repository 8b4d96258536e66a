"""What case.db says of the findings against findings.json, for tests: each list has a table with its rows and its values."""
import json
import os
import sqlite3

from tap import result

# By table: the path of its list in findings.json.
LISTS = {'incident': 'incidents', 'actor': 'incidents.actors', 'passage': 'incidents.through', 'incident_file': 'incidents.files', 'step': 'incidents.steps',
         'cve': 'cves', 'check_result': 'checks', 'taken': 'taken', 'destroyed': 'destroyed', 'lead': 'leads', 'verdict_limit': 'verdict.limits',
         'build_history': 'exchange.history', 'update_file': 'update.files', 'mitigation': 'mitigations', 'mitigation_span': 'mitigations.spans',
         'mitigation_gap': 'mitigation_gaps', 'configuration': 'configuration', 'retention': 'retention', 'hybrid_trace': 'hybrid.traces',
         'hybrid_client': 'hybrid.clients', 'verdict': 'verdict'}
OTHERS = {'volumes', 'accounts', 'persistence', 'exchange', 'update', 'deleted_files_of_other_logs', 'interrupted'}
RENAMED = {'since': 'from', 'vulnerable_from': 'from', 'vulnerable_until': 'until', 'mitigation': 'name', 'indicator': 'indicators'}


def listed(tree, path):
    """All that lies there, through lists."""
    found = [tree]
    for key in path.split('.'):
        found = [one for value in found for one in (value[key] if isinstance(value[key], list) else [value[key]])]
    return found


def told(value):
    if isinstance(value, bool):
        return int(value)
    return json.dumps(value, ensure_ascii=False, separators=(',', ':')) if isinstance(value, (list, dict)) else value


def differences(table, rows, entries):
    if len(rows) != len(entries):
        return ['%s: %d rows, %d entries' % (table, len(rows), len(entries))]
    if table == 'cve':
        entries = sorted(entries, key=lambda entry: entry['cve'])
    wrong = []
    for row, entry in zip(rows, entries):
        for column, value in row.items():
            key = column if not isinstance(entry, dict) or column in entry else RENAMED.get(column)
            if table == 'verdict_limit':
                wanted = entry
            elif key not in entry or (table, column) == ('mitigation_span', 'mitigation'):
                continue
            else:
                wanted = entry[key][0] if column == 'indicator' else told(entry[key])
            if value != wanted and not (table == 'incident_file' and column == 'sha256' and not value and not wanted):
                wrong.append('%s.%s: %r, not %r' % (table, column, value, wanted))
    return wrong


def check_tables(name, case, findings):
    unknown = set(findings) - {path.split('.')[0] for path in LISTS.values()} - OTHERS
    result(not unknown, '%s: each key of findings.json has its table in case.db' % name, unknown)
    with sqlite3.connect('file:%s?mode=ro' % os.path.join(case, 'case.db'), uri=True) as database:
        database.row_factory = sqlite3.Row
        rows = {table: [dict(row) for row in database.execute('SELECT * FROM "%s"' % table)] for table in
                [*LISTS, 'moved', 'remnant', 'exchange', 'finding_indicator']}
        views = [len(database.execute('SELECT * FROM %s' % view).fetchall()) for view in ('v_mitigation', 'v_moved', 'v_log')]
    rows['retention'] = [row for row in rows['retention'] if row['artifact']]
    wrong = [line for table, path in LISTS.items() for line in differences(table, rows[table], listed(findings, path))]
    moved = sum(1 + len(v['clients']) + len(v['users']) + len(v['programs']) for v in findings['volumes'])
    remnants = len(findings['accounts']) + len(findings['persistence'])
    behind = sum(len(set(entry['indicators'])) for key in ('destroyed', 'leads', 'checks') for entry in findings[key])
    if [len(rows[t]) for t in ('moved', 'remnant', 'finding_indicator')] != [moved, remnants, behind]:
        wrong.append('moved, remnant, finding_indicator: not %s' % [moved, remnants, behind])
    if [(r['build'], r['update_state']) for r in rows['exchange']] != [(findings['exchange']['build'], findings['update']['state'])]:
        wrong.append('exchange: %s' % rows['exchange'])
    if any(row[key] != sum(v[kind][key] for v in findings['volumes'] if v['artifact'] == row['artifact'])
           for kind in ('all',) for row in rows['moved'] if row['kind'] == kind for key in ('sent', 'lines')):
        wrong.append('moved: its sums are others')
    if views[0] < len(findings['mitigations']) or views[2] < len(findings['retention']) or (moved and not views[1]):
        wrong.append('views: %s rows' % views)
    result(not wrong, '%s: tables and views say what findings.json says' % name, '\n'.join(wrong))
