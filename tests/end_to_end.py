#!/usr/bin/env python3
"""TAP: the whole program on the built evidence, against what the builders know to be true.

Evidence is built once into $top_builddir/tests/evidence; EXTRIAGE names the program.
"""
import collections
import csv
import datetime
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time

from end_to_end_damage import check_damage, check_guards, check_hostile_names, check_much_damage, check_refusals, check_verify
from program import (CASES, PROGRAM, SOURCE, WORK, case_of, extriage, file_bytes, lines_of, read_json, said, same_files,
                     table)
from tap import BRIEF, plan, result, skip, skip_all

LOGS = {'iis_log', 'httperr', 'exchange_httpproxy', 'exchange_ecp_server', 'exchange_ecp_activity', 'exchange_oab',
        'exchange_ews', 'exchange_rps_http', 'exchange_rps_cmdlet', 'exchange_message_tracking'}
FILE_SYSTEM = {'deleted_file', 'i30_slack', 'mft_slack', 'mft_times', 'usn_carve', 'usn_journal'}  # artifacts that a folder cannot have
ADDRESSES = ('evidence', 'volume', 'mft_entry', 'offset_of_evidence')


def build():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(CASES)
    made = subprocess.run([os.path.join(SOURCE, 'fixtures', 'make_demo.sh'), os.path.join(WORK, 'demo'), '--formats',
                           'e01,raw,split,vmdk,vhd,vhdx,folder'], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if made.returncode == 77:
        skip_all(made.stdout.strip().splitlines()[-1])
        sys.exit(0)
    result(made.returncode == 0, 'the demonstration evidence is built', made.stdout[-1500:])


# --- what the case says against what the builders know ---

def check_indicators(case):
    lines = lines_of(case) + lines_of(case, 'undated.jsonl')
    found = collections.defaultdict(set)
    for line in lines:
        found[(line['path'], line['record'] if line['artifact'] in LOGS else 0)].add(line['rule'])
        found[(line['fields'].get('TargetFilename'), 0)].add(line['rule'])  # the $MFT and journals tell of other files
    # What needs event logs, the registry or correlation over several events is not looked for yet.
    available = {rule['rule'] for rule in read_json(case, 'run.json')['rules']['list'] if rule['state'] == 'active'}
    missing = []
    for row in table(os.path.join(WORK, 'demo', 'truth', 'indicators.tsv')):
        key = (row['path'], int(row['line'] or 0))
        wanted = set(row['ids'].split()) & available
        if not wanted <= found[key]:
            missing.append('%s line %s: %s' % (row['path'], row['line'], ' '.join(sorted(wanted - found[key]))))
    result(not missing, 'every planted trace is found, at its file and line', '\n'.join(missing))


def check_accounts(case):
    coverage = read_json(case, 'coverage.json')
    wrong = [f['path'] for f in coverage['files'] if f['records'] != f['used'] + f['repaired'] + f['rejected']]
    result(not wrong, 'records = used + repaired + rejected in every file', wrong)
    accounts = {f['path']: f for f in coverage['files']}
    wrong = []
    for row in table(os.path.join(WORK, 'demo', 'truth', 'logs.tsv')):
        account = accounts.get(row['path'])
        drive, rest = row['path'].split(':', 1)
        counted = records_of(os.path.join(WORK, 'demo', 'folder', drive) + rest.replace('\\', '/'))
        if not account or account['records'] != counted:
            wrong.append('%s: %d records, account %s' % (row['path'], counted, account and account['records']))
    result(not wrong, 'every log line is in the account', '\n'.join(wrong))
    sums = collections.Counter()
    for f in coverage['files']:
        sums[f['artifact']] += f['records']
    result(all(a['records'] == sums[a['artifact']] for a in coverage['artifacts']) and
           len(sums) == len(coverage['artifacts']), 'the sums per artifact are those of its files')


def records_of(path):
    """Lines that are neither empty nor directives; a quoted cell may hold line breaks (Exchange logs)."""
    count, open_quote = 0, False
    is_exchange = '/Exchange/' in path
    for line in file_bytes(path).removeprefix(b'\xef\xbb\xbf').replace(b'\0', b'').split(b'\n'):
        starts = not open_quote
        if is_exchange and not (starts and line.startswith(b'#')) and line.count(b'"') % 2:
            open_quote = not open_quote
        line = line.strip()
        count += bool(starts and line and not line.startswith(b'#'))
    return count


def check_facts(case):
    with sqlite3.connect(os.path.join(case, 'case.db')) as database:
        facts = database.execute('SELECT kind, path, fields FROM fact').fetchall()
    products = [json.loads(fields)['Product'] for kind, path, fields in facts if kind == 'registry.product']
    result(any('Exchange Server' in product for product in products), 'installed products are kept as facts', facts[:5])


def check_verdict(case):
    findings = read_json(case, 'findings.json')
    verdict, cves = findings['verdict'], {row['cve']: row for row in findings['cves']}
    intrusions = [incident for incident in findings['incidents'] if incident['kind'] == 'intrusion']
    result((verdict['rung'], verdict['confidence']) == (7, 'confirmed'), 'the verdict: data taken, confirmed', verdict)
    result(verdict['first'][:19] == '2021-03-03T04:37:12' and verdict['last'][:19] == '2021-03-05T02:14:26',
           'with its first and last time', verdict)
    result(len(intrusions) == 1 and {a['address'] for a in intrusions[0]['actors']} ==
           {'203.0.113.77', '198.51.100.203', '198.51.100.140', '2001:db8:51:4::9e'}, 'one intrusion of four addresses', intrusions)
    result({c for c, row in cves.items() if row['outcome'] == 'succeeded'} == {'CVE-2021-26855', 'CVE-2021-27065'},
           'the two vulnerabilities that were used, and no other')
    result(cves['CVE-2021-34473']['outcome'] == 'failed', 'what scanners tried has failed', cves['CVE-2021-34473'])
    result([(t['status'], t['by']) for t in findings['taken']] == [('confirmed', '198.51.100.140')], 'what was taken, and by whom')
    result(findings['update']['state'] == 'none' and findings['exchange']['cu'] == 'CU18', 'the state of updates')
    result('Verdict        The server was broken into' in said['demo'] and 'Intrusion      data taken, confirmed' in said['demo'] and
           '2021-03-03T04:37:16Z  An administrator' in said['demo'], 'the terminal is told what happened, step by step', said['demo'])
    rows = [number for incident in findings['incidents'] for step in incident['steps'] for number in step['indicators']]
    with sqlite3.connect(os.path.join(case, 'case.db')) as database:
        count = database.execute('SELECT COUNT(*) FROM indicator').fetchone()[0]
    result(rows and min(rows) >= 1 and max(rows) <= count, 'steps name their indicators')


def check_exports(original):
    case = os.path.join(CASES, 'exports')
    shutil.rmtree(case, ignore_errors=True)
    shutil.copytree(original, case, ignore=shutil.ignore_patterns('files'))
    run = extriage('report', case, '--format', 'all')
    result(run.returncode == 0, 'report --format all writes every output', run.stderr)
    dated = len(lines_of(case))
    for name, separator, columns in (('timeline.tln', '|', 5), ('timeline.l2t.csv', ',', 17)):
        with open(os.path.join(case, name), encoding='utf-8') as file:
            rows = [line.rstrip('\n').split(separator) for line in file]
        result(len(rows) == dated + 1 and all(len(row) == columns for row in rows),
               '%s: a line for each indicator, %d columns each' % (name, columns), rows[1:2])
    with open(os.path.join(case, 'timeline.plaso.csv'), encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    result(len(rows) == dated and all(row['datetime'][-6:] == '+00:00' and row['message'] for row in rows),
           'timeline.plaso.csv: a row for each indicator')
    events = lines_of(case, 'timeline.ecs.jsonl')
    result(len(events) == dated and all(e['@timestamp'] and e['rule']['name'] and e['event']['original'] is not None
                                        for e in events), 'timeline.ecs.jsonl: an event for each indicator')
    result(any('T1190' in e['threat']['technique']['id'] for e in events), 'with its techniques')
    if shutil.which('mactime'):
        mactime = subprocess.run(['mactime', '-b', os.path.join(case, 'bodyfile.txt'), '-d', '-y', '-z', 'UTC'],
                                 stdout=subprocess.PIPE, text=True, errors='replace')
        rows = list(csv.DictReader(mactime.stdout.splitlines()))
        shell = [row for row in rows if 'iispage.aspx' in row['File Name'] and row['Date'].startswith('2021-03-03T04:37:33')]
        result(mactime.returncode == 0 and shell, 'mactime reads bodyfile.txt, and the web shell is at its time', rows[:2])
    else:
        skip('mactime reads bodyfile.txt', 'there is no mactime')


def check_provenance(case, medium):
    """Each line's bytes stand at its offset in the extracted file, whose hash is in files.csv."""
    stored = {}
    with open(os.path.join(case, 'files.csv'), encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row['stored']:
            stored[row['path']] = row
    wrong = [r['path'] for r in stored.values()
             if hashlib.sha256(file_bytes(os.path.join(case, r['stored']))).hexdigest() != r['sha256']]
    result(not wrong and stored, 'extracted files have the hashes of files.csv', wrong)
    wrong, checked = [], 0
    for line in lines_of(case):
        if line['artifact'] not in LOGS:
            continue
        data = file_bytes(os.path.join(case, stored[line['path']]['stored']))
        raw = line['raw'].encode()
        checked += 1
        if '\ufffd' not in line['raw'] and data[line['offset']:line['offset'] + len(raw)] != raw:
            wrong.append('%s offset %d' % (line['path'], line['offset']))
        if not line['raw_cut'] and '\ufffd' not in line['raw'] and \
                hashlib.sha256(raw).hexdigest() != line['raw_sha256']:
            wrong.append('%s offset %d: hash' % (line['path'], line['offset']))
    result(not wrong and checked > 50, 'each line of the timeline stands at its offset (%d checked)' % checked,
           '\n'.join(wrong))
    truth = {row['path']: row for row in table(os.path.join(WORK, 'demo', 'truth', 'files.tsv'))}
    wrong = [path for path, row in stored.items() if path in truth and row['deleted'] == 'false' and
             truth[path]['sha256'] != row['sha256']]
    result(not wrong, 'extracted files are the files that were put in', wrong)
    outside = [r['stored'] for r in stored.values() if not os.path.realpath(os.path.join(case, r['stored'])).startswith(
        os.path.realpath(os.path.join(case, 'files')) + os.sep)]
    result(not outside, 'no extracted file lies outside of files/', outside)


def check_formats(case):
    lines = lines_of(case)
    ordered = [line['timestamp'] for line in lines]
    result(ordered == sorted(ordered) and all(isinstance(t, int) for t in ordered), 'the timeline is in time order')
    promised = ['datetime', 'timestamp', 'timestamp_desc', 'time_text', 'time_basis', 'message', 'level', 'rule',
                'rule_id', 'rule_title', 'tag', 'host', 'artifact', 'path', 'evidence', 'volume', 'snapshot',
                'mft_entry', 'offset', 'record', 'raw', 'raw_sha256', 'fields']
    result(all(all(key in line for key in promised) for line in lines), 'each line has all promised keys')
    with open(os.path.join(case, 'timeline.csv'), encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    result([r['timestamp'] for r in rows] == [str(t) for t in ordered] and
           all(json.loads(r['fields']) == line['fields'] or "'" in r['fields'][:1]
               for r, line in zip(rows, lines)), 'timeline.csv holds the same lines')
    sums = subprocess.run(['sha256sum', '--quiet', '-c', 'SHA256SUMS'], cwd=case, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    with open(os.path.join(case, 'SHA256SUMS'), encoding='utf-8') as file:
        listed = {line.rstrip('\n')[66:] for line in file}
    present = {os.path.relpath(os.path.join(top, name), case) for top, _, names in os.walk(case) for name in names}
    result(sums.returncode == 0 and listed == present - {'SHA256SUMS'}, 'SHA256SUMS holds for all files of the case',
           sums.stdout + str(listed ^ (present - {'SHA256SUMS'})))
    host = read_json(case, 'host.json')
    result(host['computer']['value'] == 'EXCH01' and host['exchange']['path']['value'] == 'D:\\Exchange\\V15\\' and
           host['time_zone']['name']['value'] == 'W. Europe Standard Time' if 'name' in host['time_zone'] else
           host['computer']['value'] == 'EXCH01', 'host.json names the server')


# --- the same whatever the container, the number of workers, the prefilter ---

def without_addresses(line, folder=False):
    kept = {k: v for k, v in line.items() if k not in ADDRESSES}
    if folder and line['artifact'] in LOGS:
        kept['message'] = kept['rule']
    elif folder:  # a copy on another file system has other times, attributes and owners
        kept = {k: line[k] for k in ('artifact', 'rule', 'level', 'path')}
    return json.dumps(kept, sort_keys=True)


def timeline_of(case, folder, absent=()):
    lines = lines_of(case) + lines_of(case, 'undated.jsonl')
    if folder:  # what only a file system can tell: $MFT, journals, attributes, deleted files, named streams
        lines = [l for l in lines if l['artifact'] not in FILE_SYSTEM and l['path'] not in absent and
                 l['rule'] not in ('WS-20', 'WS-21', 'WS-22', 'WS-33')]
    return collections.Counter(without_addresses(line, folder) for line in lines)


def check_same_timeline(name, case, other, folder=False):
    mine, theirs = timeline_of(case, folder, deleted_paths(case)), timeline_of(other, folder)
    different = list((mine - theirs).elements()) + list((theirs - mine).elements())
    result(not different and mine, name, '\n'.join(d[:300] for d in different))


def deleted_paths(case):
    with open(os.path.join(case, 'files.csv'), encoding='utf-8', newline='') as file:
        return {row['path'] for row in csv.DictReader(file) if row['deleted'] == 'true' or ':' in row['path'][2:]}


def check_containers(case):
    demo = os.path.join(WORK, 'demo')
    media = {'raw': 'raw/EXCH01.raw', 'split raw': 'split/EXCH01.001', 'VMDK': 'vmdk/EXCH01.vmdk',
             'VHD': 'vhd/EXCH01.vhd', 'VHDX': 'vhdx/EXCH01.vhdx', 'folder': 'folder'}
    for kind, path in media.items():
        evidence = os.path.join(demo, path)
        name = 'as %s the evidence gives the same timeline' % kind
        if not os.path.exists(evidence):
            skip(name, 'qemu-img is not there')
            continue
        other = case_of(kind.replace(' ', '-'), evidence)
        check_same_timeline(name, case, other, kind == 'folder')


def check_sameness(case, image):
    for jobs in ('0',) if BRIEF else ('0', '1', '4'):
        other = case_of('jobs-' + jobs, image, '--jobs', jobs)
        same_files('with --jobs %s every output is the same to the byte' % jobs, case, other)
    other = case_of('no-prefilter', image, '--no-prefilter')
    same_files('without the prefilter every output is the same to the byte', case, other)
    extracted = [os.path.relpath(os.path.join(top, n), case) for top, _, names in os.walk(os.path.join(case, 'files'))
                 for n in names]
    result(extracted and all(file_bytes(os.path.join(case, n)) == file_bytes(os.path.join(other, n)) for n in extracted),
           'extracted files are the same too')


def check_deleted(case):
    with open(os.path.join(case, 'files.csv'), encoding='utf-8', newline='') as file:
        stored = {row['path']: row for row in csv.DictReader(file) if row['deleted'] == 'true' and row['stored']}
    truth = {row['path']: row for row in table(os.path.join(WORK, 'demo', 'truth', 'files.tsv'))}
    for what, end in (('resident page', 'aspnet_client\\discover.aspx'), ('archive in free clusters', 'auth\\ad2021.zip')):
        path = next((path for path in stored if path.endswith(end)), None)
        result(path and stored[path]['sha256'] == truth[path]['sha256'] and
               hashlib.sha256(file_bytes(os.path.join(case, stored[path]['stored']))).hexdigest() == truth[path]['sha256'],
               'a deleted %s is extracted as it was' % what, stored)
        marks = {line['marks'] for line in lines_of(case) if line['path'] == path}
        result(marks == {'recovered'}, 'and what it says is marked as recovered', marks)
    rules = {line['rule'] for line in lines_of(case) if line['path'].endswith('discover.aspx')}
    result('WS-01' in rules, 'the content of a deleted page is searched', rules)


def check_context(case, image):
    cases = [case_of('context-' + jobs, image, '--context', '10', '--carve', '--jobs', jobs) for jobs in (('1',) if BRIEF else ('0', '1', '4'))]
    for other in cases[1:]:
        same_files('with --context the output does not depend on --jobs', cases[0], other)
    result(file_bytes(os.path.join(case, 'timeline.jsonl')) == file_bytes(os.path.join(cases[0], 'timeline.jsonl')),
           'context adds no indicators')
    result(not lines_of(case, 'context.jsonl'), 'without --context there is none')
    lines, times = lines_of(cases[0], 'context.jsonl'), [line['timestamp'] for line in lines_of(cases[0])]
    result(lines and times == sorted(times), 'there is context, in the order of time')
    far = [l for l in lines if min(abs(t - l['timestamp']) for t in times) > 600 * 1000000]
    result(not far, 'context is within ten minutes of an indicator', far[:2])
    wrong = [l for l in lines if datetime.datetime.fromisoformat(l['near']['datetime']).timestamp() * 1000000 not in
             {min(times, key=lambda t: (abs(t - l['timestamp']), t)) + d for d in range(-1, 2)}]
    result(not wrong, 'and names the one that it is nearest to', wrong[:2])
    carved = [row for row in read_json(cases[0], 'coverage.json')['files'] if row['artifact'] == 'usn_carve']
    result(len([row for row in carved if row['path'].endswith('$Unallocated')]) >= 2 and all(row['bytes'] for row in carved),
           'free space and $LogFile were looked at', carved)


def usn_record(usn, number, name, reason):
    text = name.encode('utf-16-le')
    size = -(-(60 + len(text)) // 8) * 8
    return (struct.pack('<IHHQQQQIIIIHH', size, 2, 0, 1 << 48 | number, 5 << 48 | 5, usn,
                        132592401191620000 + number * 10000000, reason, 0, 0, 32, len(text), 60) + text).ljust(size, b'\0')


def journal_of(names, start):
    out = b''
    for number, name in enumerate(names):
        if len(out) % 4096 + 120 > 4096:
            out += bytes(4096 - len(out) % 4096)
        out += usn_record(start + len(out), 100 + number, name, 0x80000200)
    return out


def check_carving():
    """A volume with a change journal, and with a deleted file that held an older one and a copy of this one."""
    work, image = os.path.join(WORK, 'carving'), os.path.join(WORK, 'carving.dd')
    os.makedirs(work)
    live = journal_of(['live%d.txt' % i for i in range(100)], 0)
    old = journal_of(['shell%d.evtx' % i for i in range(60)], 1 << 20)
    write = {'live': live, 'old': old.ljust(-(-len(old) // 4096) * 4096, b'\0') + live}
    for name, content in write.items():
        with open(os.path.join(work, name), 'wb') as file:
            file.write(content)
    time_ = '2021-03-03T04:37:58Z'
    lines = [('volume', '/', 'birth=' + time_, 'serial=1234567890ABCDEF'),
             ('file', '/old.bin', 'from=old', 'born=' + time_), ('file', '/$Extend/$UsnJrnl', 'born=' + time_),
             ('stream', '/$Extend/$UsnJrnl', 'name=$J', 'from=live', 'at=' + time_), ('delete', '/old.bin', 'at=' + time_)]
    with open(os.path.join(work, 'manifest'), 'w', encoding='ascii') as file:
        file.writelines('\t'.join(line) + '\n' for line in lines)
    with open(image, 'wb') as file:
        file.truncate(32 << 20)
    subprocess.run(['mkntfs', '-T', '-F', '-Q', '-q', '-c', '4096', '-s', '512', '-p', '0', '-H', '255', '-S', '63', image],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    made = subprocess.run([os.path.join(WORK, 'demo', 'ntfs_writer'), image, os.path.join(work, 'manifest'), work])
    case = case_of('carving', image, '--carve', '--no-files', expect=0)
    rows = {(row['artifact'], row['path'].rsplit('\\', 1)[-1]): row for row in read_json(case, 'coverage.json')['files']}
    found = [rows.get(key, {}).get('used') for key in (('usn_journal', '$UsnJrnl:$J'), ('usn_carve', '$Unallocated'))]
    result(made.returncode == 0 and found == [100, 60], 'records in free space are found, those of the journal are not told twice', rows)
    facts = sqlite3.connect(os.path.join(case, 'case.db')).execute("SELECT marks FROM fact WHERE kind = 'file.deleted_log'").fetchall()
    result(len(facts) == 60 and all('recovered' in marks for marks, in facts), 'and the deleted logs in them are facts', facts[:3])


def check_resume(case, image):
    folder = os.path.join(CASES, 'resume')
    for delay in (0, 0.01, 0.02, 0.05):
        shutil.rmtree(folder, ignore_errors=True)
        process = subprocess.Popen([PROGRAM, 'run', image, '-o', folder, '--jobs', '1', '-q', '--no-prefilter'],
                                   stderr=subprocess.DEVNULL)
        log = os.path.join(folder, 'log.txt')
        while process.poll() is None and not (os.path.exists(log) and b'reading and matching' in file_bytes(log)):
            time.sleep(0.005)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        code = process.wait()
        if code == 4 and os.path.exists(os.path.join(folder, 'case.db.partial')):
            break
    result(code == 4, 'an interrupted run gives exit code 4', code)
    other = extriage('run', image, '-o', folder, '--resume', '-q', '-m', 'high')
    result(other.returncode == 1 and '--min-level' in other.stderr,
           'a run is not gone on with under other options', other.stderr)
    shutil.copytree(os.path.join(case, 'files'), os.path.join(folder, 'files'), dirs_exist_ok=True)  # as if it ended while copying
    again = extriage('run', image, '-o', folder, '--resume', '-q')
    result(again.returncode == 2, 'a resumed run completes', again.stderr)
    same_files('a resumed run gives the same outputs to the byte', case, folder)
    result(read_json(case, 'run.json')['counts'] == read_json(folder, 'run.json')['counts'], 'and the same counts')
    again = extriage('run', image, '-o', folder, '--resume', '-q')
    result(again.returncode == 1 and 'is finished' in again.stderr and os.path.isdir(os.path.join(folder, 'files')),
           'a finished case cannot be resumed, and stays', again.stderr)


# --- options ---

def check_options(image):
    case = case_of('narrow', image, '--from', '2021-03-03T04:00:00', '--to', '2021-03-03T05:00:00Z', '-m', 'critical')
    lines = lines_of(case)
    result(lines and all(l['level'] == 'critical' and '2021-03-03T04' <= l['datetime'] < '2021-03-03T05' for l in lines),
           '--from, --to and --min-level hold')
    skewed = case_of('skewed', image, '--from', '2021-03-03T03:00:00', '--to', '2021-03-03T04:00:00Z', '-m', 'critical',
                     '--clock-skew', '3600')
    result([l['raw_sha256'] for l in lines_of(skewed)] == [l['raw_sha256'] for l in lines],
           '--from and --to are of the corrected time')
    case = case_of('lenient', image, '--to', '2021-02-27', '--fail-level', 'critical', expect=0)
    result(read_json(case, 'run.json')['counts']['filtered_by_options'] > 0, 'what options leave out is counted')
    out = os.path.join(CASES, 'extracted')
    shutil.rmtree(out, ignore_errors=True)
    run = extriage('extract', image, '-o', out, '--path', '**/aspnet_client/*.aspx')
    result(run.returncode == 0 and os.path.exists(os.path.join(out, 'files/C/inetpub/wwwroot/aspnet_client/iispage.aspx')),
           'extract --path copies what it names', run.stderr)
    again = extriage('report', case, '--format', 'csv,coverage')
    result(again.returncode == 0, 'report writes outputs again', again.stderr)


def main():
    build()
    image = os.path.join(WORK, 'demo', 'EXCH01.E01')
    case = case_of('demo', image)
    check_indicators(case)
    check_accounts(case)
    check_facts(case)
    check_verdict(case)
    check_exports(case)
    check_provenance(case, image)
    check_formats(case)
    check_sameness(case, image)
    check_deleted(case)
    check_context(case, image)
    check_carving()
    check_containers(case)
    check_resume(case, image)
    check_damage(case, image)
    if not BRIEF:
        check_much_damage(image)
    check_verify(image)
    check_guards(image)
    check_refusals(case, image)
    check_options(image)
    check_hostile_names()
    shutil.rmtree(CASES, ignore_errors=True)
    return plan()


if __name__ == '__main__':
    sys.exit(main())
