#!/usr/bin/env python3
"""TAP: Sigma through the whole program: correlation across artifacts and files with any --jobs and after an interruption,
placeholders, filters, and the event logs of the evidence collection, each found by the rule that was written for it."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

from tap import plan, result

BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
DATA = os.environ.get('EXTRIAGE_DATA', '../shared/data')
PAIRS = os.path.join(DATA, 'evtx', 'sigma-regression')
SIGMA = os.path.join(DATA, 'rules', 'sigma-hq')
WORK = os.path.join(BUILD, 'tests', 'sigma-work')

HEAD = '''#Software: Microsoft Internet Information Services 10.0
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status
'''
EWS_HEAD = 'DateTime,RequestId,AuthenticatedUser,ClientIpAddress,SoapAction,HttpStatus\r\n'

RULES = '''title: refused
name: refused
logsource: {category: webserver}
detection: {s: {sc-status: 401}, condition: s}
level: informational
---
title: let in
name: let_in
logsource: {category: webserver}
detection: {s: {sc-status: 200, cs-uri-stem|contains: /owa/}, condition: s}
---
title: many refused
name: many_refused
correlation: {type: event_count, rules: refused, group-by: [c-ip], timespan: 5m, condition: {gte: 3}}
---
title: guessed
name: guessed
correlation: {type: temporal_ordered, rules: [many_refused, let_in], group-by: [c-ip], timespan: 1h}
level: high
---
title: spray
name: spray
correlation:
    type: value_count
    rules: refused
    group-by: [c-ip]
    timespan: 1h
    generate: true
    condition: {field: cs-username, gte: 3}
---
title: two files
name: two_files
correlation:
    type: temporal
    rules: [let_in, tool]
    group-by: [address]
    timespan: 1h
    aliases: {address: {let_in: c-ip, tool: c-ip}}
---
title: tool
name: tool
logsource: {category: webserver, service: iis}
detection: {s: {cs-user-agent|contains: python}, condition: s}
---
title: from placeholder
name: placeholder
logsource: {category: webserver}
detection: {s: {c-ip|expand: '%%bad%%'}, condition: s}
---
title: not from ours
logsource: {category: webserver}
filter: {rules: [placeholder], s: {cs-uri-stem: /ours}, condition: not s}
'''.replace('%%', '%')


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', newline='', encoding='utf-8') as file:
        file.write(text)
    os.utime(path, (1614816000, 1614816000))


def run(evidence, case, rules, *options):
    return subprocess.run([PROGRAM, 'run', evidence, '-o', case, '-q', '--no-default-rules', '--rules', rules, *options],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors='replace', timeout=600)


def rows_of(case):
    with open(os.path.join(case, 'timeline.jsonl'), encoding='utf-8') as file:
        return [json.loads(line) for line in file]


def line(time, stem, user, address, status, agent='Mozilla/5.0'):
    return '2021-03-03 %s 10.0.0.1 POST %s - 443 %s %s %s - %d\n' % (time, stem, user, address, agent, status)


def evidence_make(folder):
    shutil.rmtree(folder, ignore_errors=True)
    one, two = HEAD, HEAD
    for i in range(4):
        one += line('10:00:%02d' % (10 * i), '/owa/auth.owa', 'user%d' % i, '192.0.2.7', 401)
        two += line('11:00:%02d' % (10 * i), '/owa/auth.owa', 'anna', '192.0.2.8', 401)
    two += line('10:20:00', '/owa/', 'user3', '192.0.2.7', 200)
    two += line('10:30:00', '/x', '-', '192.0.2.7', 404, 'python-requests')
    two += line('10:40:00', '/y', '-', '198.51.100.1', 404)
    two += line('10:40:01', '/ours', '-', '198.51.100.1', 404)
    write(os.path.join(folder, 'W3SVC1', 'u_ex210303.log'), one)
    write(os.path.join(folder, 'W3SVC2', 'u_ex210303.log'), two)
    write(os.path.join(folder, 'copy', 'u_ex210303.log'), one)  # the same records again: they are no second events


def check_correlation():
    evidence, rules = os.path.join(WORK, 'evidence'), os.path.join(WORK, 'rules.yml')
    values, case = os.path.join(WORK, 'values.yml'), os.path.join(WORK, 'case')
    evidence_make(evidence)
    write(rules, RULES)
    write(values, 'bad: [203.0.113.1, 198.51.100.1]\n')
    done = run(evidence, case, rules, '--clobber', '--placeholders', values)
    rows = rows_of(case)
    told = {}
    for row in rows:
        told.setdefault(row['rule'], []).append(row)
    result(set(told) == {'guessed', 'spray', 'two_files', 'placeholder', 'refused'},
           'correlations and rules that generate give indicators, their other base rules do not', (sorted(told), done.stderr))
    guessed = told.get('guessed', [{}])
    fields = guessed[0].get('fields', {})
    result(len(guessed) == 1 and fields.get('c-ip') == '192.0.2.7' and fields.get('EventCount') == '2' and
           guessed[0]['datetime'].startswith('2021-03-03T10:20:00') and 'W3SVC2' in guessed[0]['path'] and
           guessed[0]['level'] == 'high' and '200' in guessed[0]['raw'],
           'a correlation over a correlation joins two files and has the provenance of its last event', guessed)
    result('many_refused' in fields.get('CorrelatedEvents', '') and 'W3SVC1' in fields.get('CorrelatedEvents', ''),
           'it names the events that it rests on', fields)
    spray = told.get('spray', [{}])
    result(len(spray) == 1 and spray[0].get('fields', {}).get('CorrelationValue') == '4',
           'values are counted once', spray)
    result(len(told.get('refused', [])) == 12 and spray[0]['fields']['EventCount'] == '4', 'generate keeps the base rule talking, and copies of a record are counted once', len(told.get('refused', [])))
    hits = told.get('placeholder', [])
    result(len(hits) == 1 and hits[0]['fields']['cs-uri-stem'] == '/y', 'placeholders are replaced and filters take away', hits)
    for jobs in ('0', '1', '4'):
        other = os.path.join(WORK, 'case' + jobs)
        run(evidence, other, rules, '--clobber', '--placeholders', values, '--jobs', jobs)
        with open(os.path.join(case, 'case.db'), 'rb') as a, open(os.path.join(other, 'case.db'), 'rb') as b:
            result(a.read() == b.read(), 'the same bytes with --jobs ' + jobs)
    run(evidence, os.path.join(WORK, 'none'), rules)
    with open(os.path.join(WORK, 'none', 'log.txt'), encoding='utf-8') as file:
        log = file.read()
    result("placeholder 'bad' has no values" in log, 'a placeholder without values is told', log)


COUNTING = '''title: any
name: any
logsource: {category: webserver, service: iis}
detection: {s: {sc-status: [200, 302, 401, 404]}, condition: s}
---
title: count
name: count
correlation: {type: event_count, rules: any, group-by: [c-ip], timespan: 5m, condition: {gte: 8}}
---
title: pages
name: pages
correlation: {type: value_count, rules: any, group-by: [c-ip], timespan: 5m, condition: {field: cs-uri-stem, gte: 6}}
'''


def expected_windows(groups, measure, least):
    """Straight from the definition: windows that begin with an event, those that hold enough, joined where they overlap."""
    found = []
    for address, events in groups.items():
        events.sort()
        end, current = 0, None
        for start in range(len(events)):
            while end < len(events) and events[end][0] - events[start][0] <= 300:
                end += 1
            if measure(events[start:end]) < least:
                continue
            if current and start < current[1]:
                current[1] = max(current[1], end)
                continue
            found += [(address, current[1] - current[0])] if current else []
            current = [start, end]
        found += [(address, current[1] - current[0])] if current else []
    return sorted(found)


def check_windows():
    """Windows over several files against a second reckoning."""
    numbers, groups = random.Random(5), {}
    evidence, rules, case = (os.path.join(WORK, name) for name in ('counted', 'counting.yml', 'counted-case'))
    for number in range(3):
        seconds, text = 36000 + number * 1800, HEAD
        for _ in range(4000):
            seconds += numbers.choice((0, 0, 0, 1, 1, 2, 9))
            time_text = '%02d:%02d:%02d' % (seconds // 3600, seconds // 60 % 60, seconds % 60)
            page, address = '/p%d.aspx' % numbers.randint(0, 24), '192.0.2.%d' % min(int(numbers.expovariate(0.02)), 254)
            status, user = numbers.choice((200, 302, 401, 404, 500)), 'u%d' % numbers.randint(0, 10**9)
            text += line(time_text, page, user, address, status)
            if status != 500:
                groups.setdefault(address, []).append((seconds, page))
        write(os.path.join(evidence, 'u_ex21030%d.log' % number), text)
    write(rules, COUNTING)
    run(evidence, case, rules, '--clobber')
    for rule, measure, least in (('count', len, 8), ('pages', lambda events: len({page for _, page in events}), 6)):
        ours = sorted((row['fields']['c-ip'], int(row['fields']['EventCount'])) for row in rows_of(case) if row['rule'] == rule)
        wanted = expected_windows(groups, measure, least)
        result(len(wanted) > 50 and ours == wanted, '%d windows of %s are those of a second reckoning' % (len(wanted), rule),
               (ours[:5], wanted[:5]))


def check_resume():
    evidence, rules = os.path.join(WORK, 'long'), os.path.join(WORK, 'rules.yml')
    values, case, folder = (os.path.join(WORK, name) for name in ('values.yml', 'long-case', 'long-resumed'))
    for number in range(60):
        lines = [line('%02d:%02d:%02d' % (i // 3600, i // 60 % 60, i % 60), '/owa/auth.owa', 'user%d' % (i % 7),
                      '192.0.2.%d' % (i % 250), 401 if i % 3 else 200) for i in range(0, 20000, 13)]
        write(os.path.join(evidence, 'W3SVC1', 'u_ex2103%02d.log' % number), HEAD + ''.join(lines))
    options = ('--placeholders', values, '--jobs', '1')
    run(evidence, case, rules, '--clobber', *options)
    code = None
    for delay in (0.1, 0.2, 0.05, 0.3, 0.4, 0.15):
        shutil.rmtree(folder, ignore_errors=True)
        process = subprocess.Popen([PROGRAM, 'run', evidence, '-o', folder, '-q', '--no-default-rules', '--rules', rules, *options],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        code = process.wait()
        if code == 4 and os.path.exists(os.path.join(folder, 'case.db.partial')):
            break
    if code != 4:
        print('# no run could be interrupted in time')
        return
    run(evidence, folder, rules, '--resume', *options)
    with open(os.path.join(case, 'case.db'), 'rb') as a, open(os.path.join(folder, 'case.db'), 'rb') as b:
        result(a.read() == b.read(), 'correlations of a resumed run are those of a whole one')


# What a rule says of an event of its category, by the values that its log has.
PARTS = {'process_creation': ('Image', 'CommandLine', 'OriginalFileName'), 'file_event': ('Image', 'TargetFilename'),
         'registry_set': ('TargetObject', 'Details', 'Image'), 'registry_delete': ('TargetObject', 'EventType'),
         'sysmon': ('Configuration', 'UtcTime')}
FOLDERS = {'proc_creation': 'process_creation', 'file_event': 'file_event', 'registry_set': 'registry_set',
           'registry_delete': 'registry_delete', 'sysmon_config': 'sysmon'}


def first_event(path):
    with open(path, encoding='utf-8-sig') as file:
        event, _ = json.JSONDecoder().raw_decode(file.read().lstrip())
    return (event[0] if isinstance(event, list) else event)['Event']


def quoted(text):
    for byte in '\\*?':
        text = text.replace(byte, '\\' + byte)
    return "'%s'" % text.replace("'", "''").replace('\n', ' ')


def pair_rule(identity, category, event):
    data = event.get('EventData') or {}
    items = ['        %s|startswith: %s' % (name, quoted(str(data[name]))) for name in PARTS[category]
             if isinstance(data.get(name), str) and data[name] and '\n' not in data[name]]
    source = 'service: sysmon' if category == 'sysmon' else 'category: ' + category
    return 'title: %s\nid: %s\nlogsource:\n    product: windows\n    %s\ndetection:\n    s:\n%s\n    condition: s\n' % (
        identity, identity, source, '\n'.join(items)), tuple(items)


def check_pairs():
    """The rules themselves are not at hand: one is written for each pair, of its category and with the values that it has (twins are trimmed: as beginnings). Each
    must find its own log and none with other values."""
    rules, values, pairs = os.path.join(WORK, 'pairs.yml'), {}, {}
    texts = []
    for folder, _, names in os.walk(PAIRS):
        for name in sorted(names):
            category = [FOLDERS[start] for start in FOLDERS if os.path.basename(folder).startswith(start)]
            if name.endswith('.json') and category:
                text, items = pair_rule(name[:-5], category[0], first_event(os.path.join(folder, name)))
                texts.append(text)
                values[name[:-5]] = (category[0], items)
                pairs[name[:-5] + '.evtx'] = pairs[name] = name[:-5]  # the exported twin is read, too
    write(rules, '---\n'.join(texts))
    case = os.path.join(WORK, 'pairs')
    run(PAIRS, case, rules, '--clobber', '--no-files')
    found = {}
    for row in rows_of(case):
        found.setdefault(row['path'].replace('\\', '/').rsplit('/', 1)[-1], set()).add(row['rule'])
    missed = [name for name, rule in pairs.items() if rule not in found.get(name, ())]
    extra = [(name, rule) for name, rules_found in found.items() for rule in rules_found
             if rule != pairs.get(name) and values[rule] != values.get(pairs.get(name))]
    result(len(pairs) >= 88 and not missed, '%d event logs are found by the rules for them' % len(pairs), missed)
    result(not extra, 'and by no other rule', extra)


def exported(channel, identity, provider, record, values):
    return json.dumps({'Event': {'System': {'Provider': {'#attributes': {'Name': provider}}, 'EventID': identity, 'Channel': channel,
                                            'EventRecordID': record, 'TimeCreated': {'#attributes': {
                                                'SystemTime': '2021-03-03T22:15:19.162Z'}}}, 'EventData': values}}) + '\n'


NAMES = '''title: old name
name: old_name
logsource: {product: windows, category: process_creation}
detection: {s: {NewProcessName|endswith: cmd.exe, SubjectUserName|contains: alice}, condition: s}
---
title: new name
name: new_name
logsource: {product: windows, category: process_creation}
detection: {s: {Image|endswith: cmd.exe, IntegrityLevel: S-1-16-12288}, condition: s}
---
title: late
name: late
logsource: {product: windows, category: process_creation}
detection: {s: {timestamp|hour|gte: 22, Image|contains: cmd}, condition: s}
---
title: vendor
name: vendor
logsource: {product: windows, category: process_creation, service: vendor}
detection: {s: {Image|endswith: cmd.exe}, condition: s}
'''


def check_names():
    """Rules in the names of the one log find the events of the other; a user adds a log of their own."""
    evidence, rules = os.path.join(WORK, 'names'), os.path.join(WORK, 'named-rules')
    write(os.path.join(evidence, 'events.json'),
          exported('Security', 4688, 'Microsoft-Windows-Security-Auditing', 1,
                   {'NewProcessName': 'C:\\x\\cmd.exe', 'MandatoryLabel': 'S-1-16-12288', 'SubjectUserName': 'SYSTEM'}) +
          exported('Microsoft-Windows-Sysmon/Operational', 1, 'Microsoft-Windows-Sysmon', 2,
                   {'Image': 'C:\\x\\cmd.exe', 'User': 'CORP\\alice'}) +
          exported('Vendor/Operational', 7, 'Vendor', 3, {'Program': 'C:\\x\\cmd.exe'}))
    write(os.path.join(rules, 'rules.yml'), NAMES)
    write(os.path.join(rules, 'logsources.yml'), 'services: {vendor: [Vendor/Operational]}\n'
          'categories: {process_creation: {service: vendor, ids: 7}}\nfields: {vendor: {Image: Program}}\n')
    case = os.path.join(WORK, 'names-case')
    run(evidence, case, rules, '--clobber')
    found = sorted((row['rule'], row['record']) for row in rows_of(case))
    result(found == [('late', 1), ('late', 2), ('new_name', 1), ('old_name', 2), ('vendor', 3)],
           'names of fields stand for each other, in logs of a user, too', found)


SERVICES = ('application application-experience applocker appmodel-runtime appxdeployment-server appxpackaging-om bitlocker '
            'bits-client capi2 certificateservicesclient-lifecycle-system codeintegrity-operational dhcp diagnosis-scripted '
            'dns-client dns-server dns-server-analytic dns-server-audit driver-framework firewall-as hyper-v-worker '
            'iis-configuration kernel-event-tracing kernel-shimengine ldap lsa-server msexchange-management ntfs ntlm openssh '
            'powershell powershell-classic printservice-admin printservice-operational security security-mitigations sense '
            'servicebus-client shell-core smbclient-security sysmon system taskscheduler '
            'terminalservices-localsessionmanager vhdmp windefend wmi').split()
CATEGORIES = ('process_creation file_change network_connection sysmon_status process_termination driver_load image_load '
              'create_remote_thread raw_access_thread process_access file_event registry_event registry_add registry_delete '
              'registry_set registry_rename create_stream_hash pipe_created wmi_event dns_query file_delete clipboard_capture '
              'process_tampering file_delete_detected file_block_executable file_block_shredding file_executable_detected '
              'sysmon_error ps_classic_start ps_classic_provider_start ps_classic_script ps_module ps_script file_rename').split()


def check_taxonomy():
    """Every Windows log source of the taxonomy 2.1 has a parser, but for traces of the running system."""
    sources = ['product: windows, service: ' + name for name in SERVICES]
    sources += ['product: windows, category: ' + name for name in CATEGORIES] + ['category: webserver', 'category: antivirus']
    rules = os.path.join(WORK, 'taxonomy.yml')
    write(rules, '---\n'.join('title: T%d\nlogsource: {%s}\ndetection: {s: {f: value}, condition: s}\n' % (number, source)
                              for number, source in enumerate(sources)))
    check = subprocess.run([PROGRAM, 'rules', 'check', rules], stdout=subprocess.PIPE, text=True, timeout=60)
    result('%d active, 0 not applicable, 0 not loaded' % len(sources) in check.stdout,
           'all %d log sources of Windows in the taxonomy can be read' % len(sources), check.stdout[:3000])


def check_collection():
    check = subprocess.run([PROGRAM, 'rules', 'check', SIGMA], stdout=subprocess.PIPE, text=True, timeout=60)
    last = check.stdout.strip().split('\n')[-1]
    result(' 0 not loaded' in last, 'all of the SigmaHQ rules at hand are loaded: ' + last.split('\n')[0], check.stdout[-2000:])


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    check_correlation()
    check_windows()
    check_resume()
    check_names()
    check_taxonomy()
    if os.path.isdir(PAIRS):
        check_pairs()
    else:
        print('# the event logs of the evidence collection are not here')
    if os.path.isdir(SIGMA):
        check_collection()
    return plan()


sys.exit(main())
