#!/usr/bin/env python3
"""TAP: real event logs of the evidence collection through the whole program: every value as its JSON twin has it, and as many
records as an independent reader counts. Skipped where the collection is not at hand."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

from tap import plan, result, skip_all

BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
DATA = os.environ.get('EXTRIAGE_DATA', '../shared/data')
PAIRS = os.path.join(DATA, 'evtx', 'sigma-regression')

# Matches every record, so that all values come out.
RULE = '''title: every record
id: 7d2b54a6-6b3f-4b6e-9a51-0d9b4c3c7f10
status: test
logsource:
    product: windows
detection:
    all:
        EventRecordID|exists: true
    condition: all
level: informational
'''

# Records in use, as evtxinfo 20181227 counts them.
COUNTS = {
    'omerbenamram/Security_short_selected.evtx': 7,
    'omerbenamram/new-user-security.evtx': 4,
    'omerbenamram/MSExchange_Management_wec.evtx': 1,
    'omerbenamram/issue_201.evtx': 1,
    'omerbenamram/sample_with_a_bad_chunk_magic.evtx': 267,
}
SYSTEM = {('Provider', 'Name'): 'Provider_Name', ('Provider', 'Guid'): 'Provider_Guid',
          ('Security', 'UserID'): 'UserID', ('Correlation', 'ActivityID'): 'ActivityID'}


def text_of(value):
    if isinstance(value, bool):
        return 'true' if value else 'false'
    return '' if value is None else str(value)


def comparable(text):
    """The twins have trimmed texts, GUIDs without braces, times in microseconds."""
    text = text.strip().replace('\r', '').strip('{}')
    return text[:23] if len(text) > 23 and text[10:11] == 'T' and text[4] == '-' else text


def twin_values(event):
    values = {}
    for element, value in event['System'].items():
        if isinstance(value, dict):
            for attribute, inner in value.get('#attributes', {}).items():
                name = SYSTEM.get((element, attribute), element + '_' + attribute)
                values['SystemTime' if attribute == 'SystemTime' else name] = text_of(inner)
        elif value is not None:
            values[element] = text_of(value)
    for name, value in (event.get('EventData') or {}).items():
        if name != '#attributes' and not isinstance(value, (dict, list)):
            values[name] = text_of(value)
    return values


def first_event(path):
    with open(path, encoding='utf-8-sig') as file:
        event, _ = json.JSONDecoder().raw_decode(file.read().lstrip())
    return (event[0] if isinstance(event, list) else event)['Event']


def run(evidence, work):
    rule = os.path.join(work, 'every.yml')
    case = os.path.join(work, 'case')
    with open(rule, 'w') as file:
        file.write(RULE)
    subprocess.run([PROGRAM, 'run', evidence, '-o', case, '--clobber', '-q', '--no-default-rules', '--rules', rule],
                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    with open(os.path.join(case, 'timeline.jsonl'), encoding='utf-8') as file:
        return [json.loads(line) for line in file]


def check_pairs(work):
    rows = {}
    for row in run(PAIRS, work):
        if row['artifact'] == 'eventlog' and 'recovered' not in row['marks']:
            name = row['path'].replace('\\', '/').rsplit('/', 1)[-1]
            rows[name, str(row['record'])] = row
    pairs = values = 0
    wrong = []
    for folder, _, names in os.walk(PAIRS):
        for name in sorted(names):
            if not name.endswith('.json'):
                continue
            pairs += 1
            twin = twin_values(first_event(os.path.join(folder, name)))
            row = rows.get((name[:-5] + '.evtx', twin['EventRecordID']))
            fields = row['fields'] if row else {}
            for field, value in twin.items():
                values += 1
                if comparable(fields.get(field, '')) != comparable(value):
                    wrong.append('%s %s: %r is not %r' % (name, field, fields.get(field), value))
    result(pairs > 40 and not wrong, 'every value of %d event logs is as its twin has it' % pairs, '\n'.join(wrong))
    result(values > 1000, '%d values were compared' % values)


def check_counts(work):
    for name, count in COUNTS.items():
        rows = run(os.path.join(DATA, 'evtx', name), work)
        live = [row for row in rows if 'recovered' not in row['marks']]
        result(len(live) >= count, '%s has at least %d records' % (os.path.basename(name), count), len(live))
        broken = [row for row in live if not row['raw'].startswith('<Event') and 'rejected' not in row['marks']]
        result(not broken, '%s: records are shown as XML' % os.path.basename(name), broken[:1])


def check_proxylogon(work):
    """The exported events of a real ProxyLogon run, with the rules that come with the program."""
    archive = os.path.join(DATA, 'exchange', 'otrf', 'proxylogon_ssrf_rce_poc.zip')
    if not os.path.exists(archive):
        return
    events, case = os.path.join(work, 'otrf'), os.path.join(work, 'case')
    zipfile.ZipFile(archive).extractall(events)
    options = ['--rules', os.environ['EXTRIAGE_RULES'], '--no-default-rules'] if 'EXTRIAGE_RULES' in os.environ else []
    subprocess.run([PROGRAM, 'run', events, '-o', case, '--clobber', '-q', *options],
                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    with open(os.path.join(case, 'timeline.jsonl'), encoding='utf-8') as file:
        found = {json.loads(line)['rule'] for line in file}
    wanted = {'PL-13', 'PL-30', 'PL-31', 'PL-32', 'WS-31', 'WS-37'}
    result(wanted <= found, 'a ProxyLogon run shows each of its steps', sorted(wanted - found))
    with open(os.path.join(case, 'coverage.json'), encoding='utf-8') as file:
        read = json.load(file)['files'][0]
    result(read['records'] == read['used'] == 10487, 'all 10487 exported events are used', read)


def main():
    if not os.path.isdir(PAIRS):
        skip_all('the evidence collection is not here')
        return 0
    work = tempfile.mkdtemp()
    try:
        check_pairs(work)
        check_counts(work)
        check_proxylogon(work)
    finally:
        shutil.rmtree(work)
    return plan()


sys.exit(main())
