#!/usr/bin/env python3
"""TAP: content rules over whole runs: what is scanned, by default and with --yara-all; matches in logs by their lines; limits."""
import hashlib
import json
import os
import shutil
import subprocess

BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
WORK = os.path.join(BUILD, 'tests', 'content-work')
HEAD = '#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query c-ip sc-status\n'
LINE = '2021-03-03 04:00:%02d 192.0.2.5 GET %s %s %s 200\n'
RULES = '''
rule needle : attack_t1505_003 { meta: level = "high" strings: $n = "needle-in-the" condition: $n }
rule pair { strings: $a = "first-word" $b = "second-word" condition: all of them }
rule in_head { strings: $f = "#Fields: date time" condition: $f at 0 }
rule no_string { condition: filename == "u_ex210303.log" and extension == ".log" and filesize > 10 }
rule absent { strings: $n = "never-there" condition: $n }
'''
number = 0
failures = 0


def result(ok, name, detail=''):
    global number, failures
    number += 1
    failures += not ok
    print('%sok %d - %s' % ('' if ok else 'not ', number, name), flush=True)
    if not ok:
        print('# ' + str(detail)[:1500].replace('\n', '\n# '))


def write(path, text):
    path = os.path.join(WORK, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as out:
        out.write(text if isinstance(text, bytes) else text.encode())
    return path


def run(evidence, *options):
    """The rows of all indicators, coverage.json, what was said."""
    case = os.path.join(WORK, 'case')
    shutil.rmtree(case, ignore_errors=True)
    done = subprocess.run([PROGRAM, 'run', os.path.join(WORK, evidence), '-o', case, '-q', '--no-default-rules', *options],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    rows, coverage = [], {}
    for name in ('timeline.jsonl', 'undated.jsonl'):
        path = os.path.join(case, name)
        if os.path.exists(path):
            rows += [json.loads(line) for line in open(path)]
    path = os.path.join(case, 'coverage.json')
    if os.path.exists(path):
        coverage = json.load(open(path))
    return rows, coverage, done.stdout.decode(errors='replace')


def of(rows, rule, artifact=None):
    return [row for row in rows if row['rule'] == rule and artifact in (None, row['artifact'])]


def accounts_add_up(coverage):
    return all(f['records'] == f['used'] + f['repaired'] + f['rejected'] for f in coverage.get('files', [])) and coverage.get('files')


def notices(coverage, text):
    return [n for n in coverage.get('notices', []) if text in n['why']]


def make_server():
    write('server/C/Windows/System32/drivers/etc/hosts', '')
    log = HEAD + LINE % (0, '/a.htm', '-', '203.0.113.5') + LINE % (1, '/b.htm', 'q=needle-in-the-log', '203.0.113.6') + \
        'a line that no IIS wrote, needle-in-the-dark\n' + LINE % (2, '/c.htm', 'q=needle-in-the-log', '203.0.113.7') + \
        LINE % (3, '/d.htm', 'first-word', '203.0.113.8') + LINE % (4, '/e.htm', 'second-word', '203.0.113.9')
    write('server/C/inetpub/logs/LogFiles/W3SVC1/u_ex210303.log', log)
    text = 'a needle-in-the-haystack'
    for place in ('Users/Public/notes.bin', 'Windows/Temp/deep/down/x.dat', 'ProgramData/p.txt', 'PerfLogs/q.log', '$Recycle.Bin/S-1-5-21-1/$R123.ps1',
                  'Users/anna/AppData/Local/Temp/a/b.tmp', 'Users/anna/Desktop/run.ps1', 'run.bat', 'Windows/System32/x.aspx',
                  'ProgramData/vendor/tool/s.vbs', 'inetpub/wwwroot/a.aspx'):
        write('server/C/' + place, text)
    for place in ('Program Files/vendor/readme.txt', 'Users/anna/Documents/letter.txt', 'deep/down/unknown'):
        write('server/C/' + place, text)
    write('server/C/Program Files/vendor/mail.pst', '!BDN' + text)
    write('server/C/Program Files/vendor/box.edb', text)
    write('server/C/Program Files/vendor/mail.old', '!BDN' + text)
    write('server/C/Program Files/vendor/store.bak', b'\0\0\0\0\xef\xcd\xab\x89' + text.encode())
    write('server/C/Program Files/vendor/E00.log', text)


def check_default(rules):
    rows, coverage, said = run('server', '-r', rules)
    found = sorted(row['path'][3:].replace('\\', '/') for row in of(rows, 'needle'))
    expected = sorted(['Users/Public/notes.bin', 'Windows/Temp/deep/down/x.dat', 'ProgramData/p.txt', 'PerfLogs/q.log',
                       '$Recycle.Bin/S-1-5-21-1/$R123.ps1', 'Users/anna/AppData/Local/Temp/a/b.tmp', 'Users/anna/Desktop/run.ps1', 'run.bat',
                       'Windows/System32/x.aspx', 'ProgramData/vendor/tool/s.vbs', 'inetpub/wwwroot/a.aspx'])
    result(found == expected, 'temporary, public and unusual places are searched, logs and the rest are not', (found, said))
    result(accounts_add_up(coverage), 'every file is accounted for', coverage)


def check_all(rules):
    rows, coverage, said = run('server', '-r', rules, '--yara-all')
    found = {row['path'][3:].replace('\\', '/') for row in of(rows, 'needle')}
    result({'Program Files/vendor/readme.txt', 'Users/anna/Documents/letter.txt', 'deep/down/unknown'} <= found,
           '--yara-all searches every file', (sorted(found), said))
    result(len(found) == 15, 'each of them once', sorted(found))
    result(accounts_add_up(coverage), 'every file is accounted for with --yara-all, too', coverage)
    result(len({(f['path'], f['artifact']) for f in coverage['files']}) == len(coverage['files']), 'no file is read twice for the same', '')
    mail = [name for name in found if name.split('/')[-1] in ('mail.pst', 'box.edb', 'mail.old', 'store.bak', 'E00.log')]
    told = {n['path'].replace('\\', '/').split('/')[-1] for n in notices(coverage, 'never opened')}
    result(not mail and told == {'mail.pst', 'box.edb', 'mail.old', 'store.bak', 'E00.log'}, 'mail is never opened, and that is told', (mail, told))
    read = {f['path'].replace('\\', '/').split('/')[-1] for f in coverage['files']}
    result(not read & {'mail.pst', 'box.edb', 'E00.log'}, 'stores are not even asked for', read)
    return rows


def check_lines(rows):
    lines = of(rows, 'needle', 'iis_log')
    result([line['record'] for line in lines if line.get('datetime')] == [3, 5], 'a match in a log is told for each of its lines', lines)
    line = lines[0] if lines else {}
    result(line.get('datetime', '').startswith('2021-03-03T04:00:01'), 'with the time of the line', line)
    result(line.get('fields', {}).get('c-ip') == '203.0.113.6' and line['fields'].get('Matched', '').startswith('$n at 0x'), 'its client, and what matched', line)
    result(line.get('level') == 'high' and line.get('raw', '').endswith('203.0.113.6 200'), 'the level of the rule, and the line itself', line)
    at = int(line['fields']['Matched'].split('0x')[1], 16) if line.get('fields') else 0
    result(line.get('offset', 0) < at < line.get('offset', 0) + len(line.get('raw', '')), 'the offset is that of the line', line)
    undated = [row for row in of(rows, 'needle', 'iis_log') if not row.get('datetime')]
    result([row['record'] for row in undated] == [4], 'a line that could not be read is told by its number', undated)
    pair = of(rows, 'pair', 'iis_log')
    result([(row['record'], row['fields']['Matched'][:2]) for row in pair] == [(6, '$a'), (7, '$b')], 'each line says which string it holds', pair)
    for rule in ('in_head', 'no_string'):
        whole = of(rows, rule)
        result(len(whole) == 1 and 'c-ip' not in whole[0]['fields'] and whole[0]['fields']['TargetFilename'].endswith('u_ex210303.log'),
               'what lies in no line is a match of the file (%s)' % rule, whole)


def check_jobs(rules):
    outputs = []
    for options in (('--jobs', '0'), ('--jobs', '2'), ('--jobs', '1', '--no-prefilter')):
        rows, _, _ = run('server', '-r', rules, '--yara-all', *options)
        outputs.append(rows)
    result(outputs[0] == outputs[1] == outputs[2] and outputs[0], 'the same with any --jobs and without the prefilter')


def check_large(rules):
    """A log that memory does not hold is searched in pieces while it is read; what is no text is told."""
    lines = []
    size = len(HEAD)
    count = 0
    filler = 'x' * 4000
    while size < 67 << 20:
        line = LINE % (count % 60, '/large.htm', filler, '203.0.113.5')
        lines.append(line)
        size += len(line)
        count += 1
    lines[10] = LINE % (7, '/early.htm', 'needle-in-the-log', '203.0.113.6')
    lines[-2] = LINE % (8, '/late.htm', 'needle-in-the-log', '203.0.113.7')
    write('large/C/inetpub/logs/LogFiles/W3SVC1/u_ex210303.log', HEAD + ''.join(lines))
    write('large/C/other/dump.bin', b'MZ\0\0' + b'needle-in-the-dump' + b'\0' * (65 << 20))
    write('large/C/Windows/System32/drivers/etc/hosts', '')
    rows, coverage, said = run('large', '-r', rules, '--yara-all')
    found = [(row['record'], row['fields'].get('c-ip'), row['datetime'][17:19]) for row in of(rows, 'needle')]
    result(found == [(12, '203.0.113.6', '07'), (count, '203.0.113.7', '08')], 'a large log is searched, its lines are told', (found, count, said))
    result(len(notices(coverage, 'in pieces')) == 1, 'that it was searched in pieces is told', coverage.get('notices'))
    told = notices(coverage, 'its content was not scanned')
    result(len(told) == 1 and told[0]['path'].endswith('dump.bin'), 'a large file that is no text is named', coverage.get('notices'))
    result(accounts_add_up(coverage), 'large files are accounted for', '')


def check_wide(rules):
    log = HEAD + LINE % (0, '/a.htm', '-', '203.0.113.5') + LINE % (1, '/b.htm', 'q=needle-in-the-log', '203.0.113.6')
    write('wide/C/inetpub/logs/LogFiles/W3SVC1/u_ex210303.log', b'\xff\xfe' + log.replace('\n', '\r\n').encode('utf-16-le'))
    write('wide/C/Windows/System32/drivers/etc/hosts', '')
    rule = write('rules/wide.yar', 'rule needle { strings: $n = "needle-in-the" wide condition: $n }\n')
    rows, _, said = run('wide', '-r', rule, '--yara-all')
    result([(row['record'], row['fields'].get('c-ip')) for row in of(rows, 'needle')] == [(3, '203.0.113.6')], 'lines of a UTF-16 log are found', (rows, said))


def check_many(rules):
    log = HEAD + ''.join(LINE % (i % 60, '/b.htm', 'q=needle-in-the-log', '203.0.113.%d' % (i % 200)) for i in range(200))
    write('many/C/inetpub/logs/LogFiles/W3SVC1/u_ex210303.log', log)
    write('many/C/Windows/System32/drivers/etc/hosts', '')
    rows, coverage, _ = run('many', '-r', rules, '--yara-all')
    result(len(of(rows, 'needle')) == 64 and len(notices(coverage, 'at least 200 records')) == 1, 'of many lines 64 are told, and how many there are', coverage.get('notices'))


def check_externals():
    """As signature-base uses them: names as on disk, the extension with its dot, the type by the first bytes, scores."""
    content = b'MZ\0\0 an inert look-alike'
    write('server/C/Users/Public/Tool.EXE', content)
    rules = write('rules/externals.yar', '''
import "math"
import "no_such_module"
rule external_all {
  meta: score = 85
  condition: filename == "Tool.EXE" and filename matches /tool\\.exe$/is and filepath contains "C:\\\\" and
    filepath matches /Users\\\\Public/ and not filepath contains "teamviewer" and extension == ".exe" and filetype == "EXE" and
    md5 == "%s" and math.entropy(0, filesize) > 1.0 and owner != "nobody"
}
rule external_none { meta: score = 50 condition: uint16(0) == 0x5a4d and not filename contains "tool.exe" }
rule unloadable { condition: no_such_module.thing == 1 }
rule loadable { strings: $a = "an inert look-alike" condition: $a }
''' % hashlib.md5(content).hexdigest())
    rows, _, said = run('server', '-r', rules)
    levels = {row['rule']: row['level'] for row in rows if row['path'].endswith('Tool.EXE')}
    result(levels == {'external_all': 'high', 'external_none': 'low', 'loadable': 'medium'}, 'external variables and scores are as signature-base means them', (levels, said))
    done = subprocess.run([PROGRAM, 'rules', 'check', rules, '--no-default-rules'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = done.stdout.decode()
    result('externals.yar:3' in text and 'unknown module "no_such_module"' in text, 'a module that is not there is told with its line', text)
    result("rule 'unloadable'" in text and 'externals.yar:11' in text and '3 active' in text, 'and the rule that needs it; the others are loaded', text)


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    make_server()
    rules = write('rules/needle.yar', RULES)
    check_default(rules)
    check_lines(check_all(rules))
    check_jobs(rules)
    check_externals()
    check_large(rules)
    check_wide(rules)
    check_many(rules)
    if not failures:
        shutil.rmtree(WORK, ignore_errors=True)
    print('1..%d' % number)
    return failures > 0


raise SystemExit(main())
