#!/usr/bin/env python3
"""TAP: ProxyLogon as OTRF recorded it (EXTRIAGE_DATA: exchange/otrf): each step is found, at the right time, and all are one incident.
Its @timestamp is the recorder's local time; UtcTime of Sysmon is right. Skipped without the recording."""
import datetime
import json
import os
import shutil
import subprocess
import sys
import zipfile

from tap import plan, result, skip_all

BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
RECORDING = os.path.join(os.environ.get('EXTRIAGE_DATA', ''), 'exchange', 'otrf', 'proxylogon_ssrf_rce_poc.zip')
WORK = os.path.join(BUILD, 'tests', 'proxylogon-work')
# What is to be found: rule, words of its message, UTC time to the second.
STEPS = (
    ('PL-30', 'Control panel error', '01:40:11'),
    ('PL-13', 'Set-OabVirtualDirectory', '01:40:12'),
    ('PL-31', 'aspx', '01:40:13'),
    ('PL-32', 'ohyeah.aspx', '01:40:13'),
    ('PL-14', 'Remove-OabVirtualDirectory', '01:40:14'),
    ('PL-12', 'removed and made anew', '01:40:17'),
    ('PL-14', 'New-OabVirtualDirectory', '01:40:17'),
    ('WS-37', 'cvtres.exe', '01:40:15'),
    ('WS-31', 'cmd /c whoami', '01:40:15'),
)
SECONDS = 6


def run():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    with zipfile.ZipFile(RECORDING) as archive:
        for name in archive.namelist():
            with open(os.path.join(WORK, os.path.basename(name)), 'wb') as out:
                shutil.copyfileobj(archive.open(name), out)
    case = os.path.join(WORK, 'case')
    subprocess.run([PROGRAM, 'run', '-q', '--no-files', '-o', case] +
                   [os.path.join(WORK, name) for name in os.listdir(WORK) if name.endswith('.json')], check=False, timeout=300)
    with open(os.path.join(case, 'timeline.jsonl'), encoding='utf-8') as file:
        lines = [json.loads(line) for line in file]
    with open(os.path.join(case, 'findings.json'), encoding='utf-8') as file:
        return lines, json.load(file)


def main():
    if not os.path.exists(RECORDING):
        skip_all('the recording is not in EXTRIAGE_DATA')
        return 0
    lines, findings = run()
    seen = '\n'.join('%s %s %s' % (line['datetime'], line['rule'], line['message'][:100]) for line in lines)
    for rule, words, time in STEPS:
        found = [line for line in lines if line['rule'] == rule and words in line['message']]
        result(found, '%s is found (%s)' % (rule, words), seen)
        result(found and all(line['datetime'].startswith('2021-03-14T' + time) for line in found), 'at %s UTC' % time, seen)
    incidents = findings['incidents']
    told = '\n'.join('%s %s %s' % (i['first'], i['last'], i['name']) for i in incidents)
    result(len(incidents) == 1 and incidents[0]['kind'] == 'intrusion', 'it is one intrusion', told)
    times = [datetime.datetime.fromisoformat(t) for step in incidents[0]['steps'] for t in (step['time'], step['until'])]
    result((max(times) - min(times)).total_seconds() <= SECONDS, 'of %d seconds at the most' % SECONDS, told)
    result(incidents[0]['indicator_count'] == len(lines), 'that holds all indicators', told)
    result('C:\\Program Files\\Microsoft\\Exchange Server\\V15\\FrontEnd\\HttpProxy\\owa\\auth\\ohyeah.aspx' in
           [step['object'] for step in incidents[0]['steps']], 'and names the page', json.dumps(incidents[0]['steps'], indent=1))
    shutil.rmtree(WORK, ignore_errors=True)
    return plan()


if __name__ == '__main__':
    sys.exit(main())
