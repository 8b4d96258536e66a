#!/usr/bin/env python3
"""TAP: prefetch files, shell links and jump lists say what sccainfo, lnkinfo and olecfinfo say of the same files: built ones
of every version, compressed and not, beyond one block, and those of EXTRIAGE_DATA. What a tool is missing for is skipped."""
import json
import os
import re
import shutil
import subprocess
import sys

from tap import plan, result, skip

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'fixtures', 'builders'))
import traces  # noqa: E402

BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
DATA = os.environ.get('EXTRIAGE_DATA', '')
WORK = os.path.join(BUILD, 'tests', 'traces-work')
DEVICE = '\\VOLUME{01d6f0a1b2c3d4e5-7450b65f}'

# Everything becomes an indicator, so that every value can be compared.
RULE = """title: %(service)s
id: 5f0c2f0e-6c1d-4a57-9d0a-0000000000%(number)02d
name: ALL
status: test
description: everything
author: extriage
logsource: {product: windows, service: %(service)s}
detection:
    any: {TargetFilename|re: '.'}
    condition: any
level: low
examples:
    hit: [{TargetFilename: a}, {TargetFilename: b}]
    miss: [{Image: a}, {Image: b}]
"""


def tool(name, path):
    """Its lines as "key: value" pairs; None without the tool or when it cannot read the file."""
    if not shutil.which(name):
        return None
    run = subprocess.run([name, path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors='replace')
    pairs = re.findall(r'^\s*([A-Z][^\t]*?)\s*\t+: ?(.*)$', run.stdout, re.M)
    return pairs if run.returncode == 0 else None


def prefetch_text(version, files, compressed):
    runs = ['2021-03-03T04:37:32.8812043']
    if version not in ('17', '23'):
        runs += ['2021-03-02T23:00:00.5', '2021-03-01T00:00:00.0000001']
    lines = ['version ' + version, 'name RCLONE.EXE', 'hash 1A2B3C4D', 'runs 12', 'volume %s 7450B65F 2020-11-07T10:00:00.25' % DEVICE]
    lines += ['run ' + run for run in runs] + ['compressed'] * compressed
    lines += ['file %s\\WINDOWS\\SYSTEM32\\NTDLL.DLL' % DEVICE, 'file %s\\PERFLOGS\\RCLONE.EXE' % DEVICE]
    lines += ['file %s\\INETPUB\\WWWROOT\\A%d.TXT' % (DEVICE, i * 7919 % 1000) for i in range(files)]
    return '\n'.join(lines)


LINKS = {
    'local': r"""
target C:\Windows\Temp\a lsass.dmp
arguments -x "y z"
folder C:\Windows\Temp
description of a link
created 2021-03-03T04:37:32.8812043
accessed 2021-03-03T05:37:32.5
modified 2021-03-02T04:37:32.0000001
size 4711
drive removable
serial 1234ABCD
label STICK
machine exch01
droid 6f1a2b3c-4d5e-4f70-8192-a3b4c5d6e7f8 0c7ad3a4-7c21-11eb-9a1b-00155d010203
birth 7f1a2b3c-4d5e-4f70-8192-a3b4c5d6e7f8 0c7ad3a4-7c21-11eb-9a1b-00155d010204""",
    'share': '\nshare \\\\dc01\\c$\nsuffix Windows\\x.zip\nrelative ..\\x.zip',
    'items': '\nitems D:\\PerfLogs\\a long name\\rclone.conf',
    'environment': '\nenvironment %SystemRoot%\\System32\\mshta.exe\narguments http://192.0.2.1/a',
}

LIST = r"""version 3
entry 1 2021-03-03T11:30:00.5 C:\Windows\Temp\lsass.dmp
target C:\Windows\Temp\lsass.dmp
entry 255 2021-03-04T20:00:00 C:\PerfLogs\rclone.conf
target C:\PerfLogs\rclone.conf
description %s
stray 16
target C:\Users\Public\AdFind.exe
""" % ('so long that the link has sectors of its own ' * 60)


def make_evidence(folder):
    os.makedirs(folder)

    def put(name, data):
        with open(os.path.join(folder, name), 'wb') as file:
            file.write(data)
    for version in ('17', '23', '26', '30', '30b', '31'):
        for files, compressed in ((0, 0), (0, 1), (1500, 1)):
            name = 'V%s-%d-%d.pf' % (version, files, compressed)
            put(name, traces.prefetch_build(prefetch_text(version, files, compressed)))
    for name, text in LINKS.items():
        put(name + '.lnk', traces.link_build(text))
    put('f01b4d95cf55d32a.automaticDestinations-ms', traces.jumplist_build(LIST))
    for top, _, names in os.walk(os.path.join(DATA, 'ntfs-meta', 'ez-prefetch') if DATA else ''):
        for name in names:
            shutil.copyfile(os.path.join(top, name), os.path.join(folder, name))


def make_rules(folder):
    os.makedirs(folder)
    for i, service in enumerate(('prefetch', 'lnk', 'jumplist')):
        with open(os.path.join(folder, service + '.yml'), 'w', encoding='utf-8') as file:
            file.write(RULE % {'service': service, 'number': i})


def events_of(case):
    """By file name: the events in the order of their record numbers."""
    out = {}
    for name in ('timeline.jsonl', 'undated.jsonl'):
        with open(os.path.join(case, name), encoding='utf-8') as file:
            for line in map(json.loads, file):
                out.setdefault(line['fields']['FileName'], []).append(line)
    return {name: sorted(lines, key=lambda line: int(line['record'])) for name, lines in out.items()}


def tool_time(text):
    """"Mar 03, 2021 04:37:32.881204300 UTC" as we write it, to the microsecond; None when not set."""
    months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split()
    match = re.match(r'(\w+) (\d+), (\d+) ([\d:]+)\.(\d{6})', text)
    return match and '%s-%02d-%sT%s.%s+00:00' % (match[3], months.index(match[1]) + 1, match[2], match[4], match[5])


def differences(pairs):
    return '\n'.join('%s: %r, the tool says %r' % (name, ours, theirs) for name, ours, theirs in pairs if ours != theirs)


def check_prefetch(path, events):
    name = os.path.basename(path)
    said = tool('sccainfo', path)
    if said is None:
        return skip(name, 'no sccainfo, or it does not know this version')
    one, fields = dict(said), events[-1]['fields']
    runs = [t for t in (tool_time(v) for k, v in said if k.startswith('Last run time')) if t]
    files = [v for k, v in said if k.startswith('Filename:')]
    pairs = [('version', fields['FormatVersion'].split(',')[0], one['Format version']),
             ('hash', '0x' + fields['PrefetchHash'].lower(), one['Prefetch hash']),
             ('name', fields['Executable'], one['Executable filename']),
             ('run count', fields['RunCount'], one['Run count']),
             ('files', fields['FileCount'], str(len(files))),
             ('first file', fields['LoadedFiles'].split('; ')[0], files[0]),
             ('serial', '0x' + fields['Volumes'].split()[1].replace('-', '').lower(), one['Serial number']),
             ('volume created', fields['Volumes'].split(';')[0].split()[3], tool_time(one['Creation time']))]
    if runs:  # it does not say those of the older versions
        pairs.append(('run times', [event['datetime'] for event in reversed(events)], runs))
    return result(not differences(pairs), name + ' is what sccainfo says', differences(pairs))


LINK_FIELDS = (('LinkTarget', 'Local path'), ('LinkTarget', 'Network path'), ('Arguments', 'Command line arguments'),
               ('WorkingDirectory', 'Working directory'), ('Description', 'Description'), ('RelativePath', 'Relative path'),
               ('VolumeLabel', 'Volume label'), ('MachineId', 'Machine identifier'), ('DroidVolume', 'Droid volume identifier'),
               ('DroidFile', 'Droid file identifier'), ('BirthDroidVolume', 'Birth droid volume identifier'),
               ('BirthDroidFile', 'Birth droid file identifier'), ('LinkTarget', 'Environment variables location'))


def check_link(path, events):
    name = os.path.basename(path)
    said = tool('lnkinfo', path)
    if said is None:
        return skip(name, 'no lnkinfo')
    one, fields = dict(said), events[0]['fields']
    pairs = [(ours, fields.get(ours), one[theirs]) for ours, theirs in LINK_FIELDS if theirs in one]
    for ours, theirs in (('TargetCreated', 'Creation time'), ('TargetModified', 'Modification time'), ('TargetAccessed', 'Access time')):
        pairs.append((ours, fields.get(ours), tool_time([v for k, v in said if k == theirs][0])))
    if 'Drive serial number' in one:
        pairs.append(('serial', '0x' + fields.get('VolumeSerial', '0000-0000').replace('-', '').lower(), one['Drive serial number']))
    items = [v for k, v in said if k in ('Volume name', 'Long name')]
    if items:
        pairs.append(('items', fields['LinkTarget'], items[0] + '\\'.join(items[1:])))
    return result(not differences(pairs), name + ' is what lnkinfo says', differences(pairs))


def check_list(path, events):
    name = os.path.basename(path)
    if not shutil.which('olecfinfo'):
        return skip(name, 'no olecfinfo')
    text = subprocess.run(['olecfinfo', path], stdout=subprocess.PIPE, text=True).stdout
    streams = sorted(int(n, 16) for n in re.findall(r'^\s+([0-9a-f]+) \(\d+ bytes\)', text, re.M))
    ours = sorted(int(event['fields']['EntryNumber']) for event in events if 'CommandLine' in event['fields'])
    return result(streams == ours and len(ours) == 3, name + ' has the links that olecfinfo says', '%s, %s' % (streams, ours))


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    evidence, case, rules = (os.path.join(WORK, name) for name in ('evidence', 'case', 'rules'))
    make_evidence(evidence)
    make_rules(rules)
    subprocess.run([PROGRAM, 'run', evidence, '-o', case, '-q', '--no-default-rules', '-r', rules], stdout=subprocess.DEVNULL,
                   timeout=300)
    events = events_of(case)
    checks = {'.pf': check_prefetch, '.lnk': check_link, '.automaticDestinations-ms': check_list}
    for name in sorted(os.listdir(evidence)):
        if name not in events:
            result(False, name + ' gives events')
        else:
            checks[os.path.splitext(name)[1]](os.path.join(evidence, name), events[name])
    shutil.rmtree(WORK, ignore_errors=True)
    return plan()


if __name__ == '__main__':
    sys.exit(main())
