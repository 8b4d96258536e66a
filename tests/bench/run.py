#!/usr/bin/env python3
"""make bench: the figures that matter, each beside what people use today, as ratios, with the commands used.

    run.py PROGRAM WORKDIR [NAME...]     only the named rows (default: all); `make bench BENCH='evtx hive'`

Wall time is the median of three runs after one to warm the page cache; what takes longer than a minute is run once. Of each
side the CPU seconds stand behind it: on a busy machine they are what to compare.
"""
import os
import random
import re
import shutil
import subprocess
import sys

import cases
import growth
import inputs
import measure as measuring
import stages

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(sys.argv[1])
WORK = os.path.abspath(sys.argv[2])
WANTED = sys.argv[3:]
RAM = '/dev/shm/extriage-bench'
BIG = os.path.join(WORK, 'big.E01')
LIMITS = os.path.join(os.path.dirname(PROGRAM), 'tests', 'bench', 'limits')
TRASH = measuring.Trash(WORK)
ROWS = []


def timed(command):
    return measuring.timed(command, WORK)


def measure(command, before=None, runs=3):
    """Median wall seconds, CPU seconds and peak MiB of the largest process."""
    result = measuring.median_of(command, WORK, before, runs)
    if before:
        TRASH.empty()
    return result


def row(name, wanted, ours, theirs, our_command, their_command, note=''):
    ratio = theirs[0] / ours[0] if theirs else None
    text = '%-58s %8.2f s %8.2f s   %6.2f times faster   wanted: %s%s' % (
        name, ours[0], theirs[0], ratio, wanted, note) if theirs else '%-58s %s   wanted: %s' % (name, note, wanted)
    text += '  [CPU %.2f s%s]' % (ours[1], ' against %.2f s: %.1f' % (theirs[1], theirs[1] / ours[1]) if theirs else '')
    ROWS.append(text)
    print('%s\n    ours:   %s\n    theirs: %s' % (text, our_command, their_command), flush=True)


def is_wanted(name):
    return not WANTED or name in WANTED


def clean(path):
    return lambda: TRASH.take(path)


def output(command):
    return subprocess.run(['sh', '-c', command], stdout=subprocess.PIPE, text=True, errors='replace', check=False).stdout


def log_rules():
    """The rule files that look at lines of text logs: only their literals are looked for in logs."""
    found = []
    for folder, _, names in os.walk(os.path.join(SOURCE, 'rules', 'sigma')):
        for name in sorted(names):
            path = os.path.join(folder, name)
            with open(path, encoding='utf-8') as file:
                if re.search(r'^    (category: webserver|product: exchange)$', file.read(), re.M):
                    found.append(path)
    return sorted(found)


def prepare():
    os.makedirs(WORK, exist_ok=True)
    shutil.rmtree(RAM, ignore_errors=True)
    os.makedirs(RAM)


def prepare_image():
    if not os.path.exists(BIG):
        print('# building %s' % BIG, flush=True)
        subprocess.run([os.path.join(SOURCE, 'fixtures', 'make_bench.sh'), BIG], check=True)
    logs = os.path.join(WORK, 'logs')
    if not os.path.exists(os.path.join(logs, 'done')):
        shutil.rmtree(logs, ignore_errors=True)
        subprocess.run([PROGRAM, 'extract', BIG, '-o', logs, '--path', '{iis_logs}/**', '--path', '{exchange_logging}/**',
                        '--no-hash', '-q'], check=False)
        open(os.path.join(logs, 'done'), 'w').close()
    with open(os.path.join(WORK, 'literals'), 'w', encoding='utf-8') as file:
        file.write(output("'%s' rules literals %s" % (PROGRAM, ' '.join("'%s'" % path for path in log_rules()))))


def partition_offset():
    for line in output("mmls '%s' 2>/dev/null" % BIG).splitlines():
        match = re.match(r'\d+:\s+\d+\s+(\d+)\s+\d+\s+(\d+)\s+Basic data', line)
        if match:
            return int(match.group(1))
    return 0


def whole_run():
    case = os.path.join(WORK, 'case')
    return "'%s' run '%s' -o '%s' -q" % (PROGRAM, BIG, case), clean(case)


def bench_pipeline():
    ours_command, before = whole_run()
    ours = measure(ours_command, before)
    offset = partition_offset()
    body, tree = os.path.join(WORK, 'body'), os.path.join(WORK, 'tree')
    parts = [
        "fls -o %d -r -m / '%s' >'%s'" % (offset, BIG, body),
        "mactime -b '%s' -d >/dev/null" % body,
        "rm -rf '%s'; tsk_recover -a -o %d '%s' '%s'" % (tree, offset, BIG, tree),
        "cat %s/rules/yara/*.yar >'%s/all.yar'; yara -w -r -p 2 -d filename= -d filepath= -d extension= -d filetype= -d owner= "
        "-d md5= '%s/all.yar' '%s'" % (SOURCE, WORK, WORK, tree),
        "rg -j2 -F -i -c -f '%s/literals' '%s'" % (WORK, tree),
    ]
    sums = [timed(part) for part in parts]
    for part, result in zip(parts, sums):
        print('    %8.2f s  %s' % (result[0], part), flush=True)
    theirs = (sum(s[0] for s in sums), sum(s[1] for s in sums), max(s[2] for s in sums))
    row('run against fls + mactime + tsk_recover + yara + rg', '10', ours, theirs, ours_command, ' ; '.join(parts),
        '  (peak %.0f MiB)' % ours[2])
    measuring.remove(tree)


def bench_verify():
    ours_command, before = whole_run()
    theirs_command = "ewfverify -q '%s'" % BIG
    same_command = "ewfverify -q -d sha1,sha256 '%s'" % BIG
    verify_command = "'%s' verify '%s'" % (PROGRAM, BIG)
    ours, theirs = measure(ours_command, before), measure(theirs_command, runs=1)
    row('run against ewfverify of the same image', '1', ours, theirs, ours_command, theirs_command)
    verified = measure(verify_command, runs=1)
    row('verify (three hashes) against ewfverify (one)', '-', verified, theirs, verify_command, theirs_command)
    row('verify against ewfverify -d sha1,sha256', '2', verified, measure(same_command, runs=1), verify_command, same_command)


def read_bytes(command, before=None):
    """Bytes of the image that all processes of a command ask the kernel for."""
    if before:
        before()
    logs = os.path.join(WORK, 'reads')
    shutil.rmtree(logs, ignore_errors=True)
    os.makedirs(logs)  # one of each thread: calls are never cut in two
    subprocess.run(['strace', '-ff', '-y', '-e', 'trace=pread64,read,preadv', '-o', os.path.join(logs, 'log'), 'sh', '-c', command],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    total = 0
    for name in os.listdir(logs):
        with open(os.path.join(logs, name), encoding='utf-8', errors='replace') as file:
            total += sum(int(match.group(1)) for match in re.finditer(r'\.E\d\d>.*= (\d+)$', file.read(), re.M))
    shutil.rmtree(logs)
    return total


def bench_run_verify():
    """What --verify costs a run: beside `verify` alone, and beside the run without it."""
    plain_command, before = whole_run()
    both_command, alone_command = plain_command + ' --verify', "'%s' verify '%s'" % (PROGRAM, BIG)
    plain, both, alone = measure(plain_command, before), measure(both_command, before), measure(alone_command)
    row('run --verify against verify alone', '0.87', both, alone, both_command, alone_command)
    row('run --verify against run, then verify', '1', both, tuple(plain[i] + alone[i] for i in range(3)), both_command,
        plain_command + ' ; ' + alone_command)
    if shutil.which('strace'):
        reads = [read_bytes(alone_command), read_bytes(plain_command, before), read_bytes(both_command, before)]
        print('    bytes read of the image: verify %.0f MiB, run %.0f MiB, run --verify %.0f MiB: %.2f times verify' %
              (*(r / (1 << 20) for r in reads), reads[2] / reads[0]), flush=True)


def bench_matching():
    logs = os.path.join(WORK, 'logs', 'files')
    case = os.path.join(WORK, 'case-logs')
    size = int(output("du -sb '%s' | cut -f1" % logs))
    ours_command = "'%s' run '%s' -o '%s' -q --jobs 1 --no-files" % (PROGRAM, logs, case)
    theirs_command = "rg -j1 -F -i -c -f '%s/literals' '%s'" % (WORK, logs)
    ours, theirs = measure(ours_command, clean(case)), measure(theirs_command)
    row('logs matched and accounted, one worker, against rg -j1', '1', ours, theirs, ours_command, theirs_command,
        '  (%.0f against %.0f MB/s, %.2f GB of logs)' % (size / ours[0] / 1e6, size / theirs[0] / 1e6, size / 1e9))


def large_lists(path):
    """A million hashes, a million addresses, a hundred thousand domains."""
    numbers = random.Random(1)
    words = [''.join(numbers.choice('abcdefghijklmnopqrstuvwxyz') for _ in range(numbers.randint(3, 9))) for _ in range(20000)]
    with open(path, 'w', encoding='ascii') as out:
        for _ in range(1000000):
            out.write('%064x\n' % numbers.getrandbits(256))
            out.write('%d.%d.%d.%d\n' % ((numbers.randint(1, 223),) + tuple(numbers.randrange(256) for _ in range(3))))
        for _ in range(100000):
            out.write('%s%s%s.%s\n' % (numbers.choice(('', 'www.', 'mail.', 'cdn-')) + numbers.choice(words), numbers.choice(('', '-', '.')),
                                       numbers.choice(words), numbers.choice(('com', 'net', 'org', 'info', 'xyz', 'ru', 'cn', 'io'))))


def bench_lists():
    """What 2,100,000 indicators cost on the logs beyond loading them."""
    logs, case, lists = os.path.join(WORK, 'logs', 'files'), os.path.join(WORK, 'case-logs'), os.path.join(WORK, 'lists.txt')
    empty = os.path.join(WORK, 'empty')
    os.makedirs(empty, exist_ok=True)
    open(os.path.join(empty, 'nothing'), 'w', encoding='ascii').close()
    if not os.path.exists(lists):
        large_lists(lists)
    command = "'%s' run '%%s' -o '%s' -q --jobs 1 --no-files%%s" % (PROGRAM, case)
    with_lists = command % (logs, " -r '%s'" % lists)
    ours, without = measure(with_lists, clean(case)), measure(command % (logs, ''), clean(case))
    loading = measure(command % (empty, " -r '%s'" % lists), clean(case))[1] - measure(command % (empty, ''), clean(case))[1]
    row('logs with 2,100,000 indicators, against none', '0.9 and the time to load', ours, without, with_lists, command % (logs, ''),
        '  (CPU: loading %.2f s, matching %+.0f %%)' % (loading, 100 * (ours[1] - loading - without[1]) / without[1]))


def rule_names(random_numbers):
    first = ('crypt', 'net', 'sys', 'win', 'ldap', 'proc', 'back', 'shadow', 'tok', 'pipe', 'scan', 'vault')
    middle = ('enum', 'dump', 'load', 'exec', 'spawn', 'hook', 'drop', 'map', 'kat', 'hub')
    last = ('er', 'ctl', '64', 'svc', 'x', 'ana')
    return ''.join(random_numbers.choice(part) for part in (first, middle, last)) + str(random_numbers.randint(0, 999))


def rule_text(number, random_numbers):
    """A rule as the public collection has them: some fields with lists of values, often a filter, sometimes an expression."""
    source, fields = random_numbers.choices(
        (('category: process_creation', ('Image', 'CommandLine', 'ParentImage', 'OriginalFileName')),
         ('category: registry_set', ('TargetObject', 'Details', 'Image')), ('category: file_event', ('TargetFilename', 'Image')),
         ('category: image_load', ('ImageLoaded', 'Image')), ('category: ps_script', ('ScriptBlockText',)),
         ('service: security', ('ObjectName', 'ServiceName', 'ProcessName')), ('service: system', ('ServiceName', 'ImagePath'))),
        (45, 12, 12, 6, 10, 8, 7))[0]
    lines = ['title: Rule %d' % number, 'id: 00000000-0000-4000-8000-%012d' % number, 'logsource:', '    product: windows',
             '    ' + source, 'detection:', '    selection:']
    for field in random_numbers.sample(fields, random_numbers.randint(1, min(2, len(fields)))):
        lines.append('        %s|%s:' % (field, random_numbers.choice(('contains', 'endswith', 'contains|all', 'startswith'))))
        shape = random_numbers.choice(('\\%s.exe', ' -%s ', '%s', '\\Temp\\%s', ' /%s:'))
        lines += ["            - '%s'" % (shape % rule_names(random_numbers)) for _ in range(random_numbers.randint(2, 8))]
    condition = 'selection'
    if random_numbers.random() < 0.1:
        lines += ['    pattern:', "        %s|re: '%s[a-z0-9]{2,8}\\.(dll|exe)'" % (fields[0], rule_names(random_numbers))]
        condition = '(selection or pattern)'
    if random_numbers.random() < 0.5:
        lines += ['    filter:', "        %s|startswith: 'C:\\Program Files\\%s'" % (fields[-1], rule_names(random_numbers))]
        condition += ' and not filter'
    return '\n'.join(lines + ['    condition: ' + condition]) + '\n'


def rules_file(count):
    random_numbers, path = random.Random(4000), os.path.join(WORK, 'rules-%d.yml' % count)
    with open(path, 'w', encoding='utf-8') as file:
        file.write('---\n'.join(rule_text(number, random_numbers) for number in range(count)))
    return path


def event_logs():
    """The event logs of the evidence collection, so often that reading them takes a while."""
    folder = os.path.join(WORK, 'event-logs')
    source = os.path.join(os.environ.get('EXTRIAGE_DATA', os.path.join(SOURCE, '..', 'shared', 'data')), 'evtx')
    if not os.path.isdir(folder) and os.path.isdir(source):
        for number in range(40):
            shutil.copytree(source, os.path.join(folder, str(number)))
    return folder


def bench_rules():
    """The cost of 4,000 rules against that of 40 on the same event logs, and of loading them."""
    logs, commands = event_logs(), {}
    if not os.path.isdir(logs):
        print('# no event logs at hand: row rules is left out', flush=True)
        return
    for count in (40, 4000):
        path = rules_file(count)
        commands[count] = "'%s' run '%s' -o '%s' -q --jobs 1 --no-files --no-default-rules --rules '%s'" % (
            PROGRAM, logs, os.path.join(WORK, 'case-rules'), path)
    case = clean(os.path.join(WORK, 'case-rules'))
    few, many = measure(commands[40], case), measure(commands[4000], case)
    row('event logs with 4,000 Sigma rules against 40', 'at most 2 times the time', many, None, commands[4000], commands[40],
        '%.2f s against %.2f s, %.2f times' % (many[0], few[0], many[0] / few[0]))
    command = "'%s' rules check '%s'" % (PROGRAM, os.path.join(WORK, 'rules-4000.yml'))
    load = measure(command)
    row('loading 4,000 Sigma rules', 'below 1 s', load, None, command, '-', '%.2f s' % load[0])


def bench_workers():
    case = os.path.join(WORK, 'case-jobs')
    commands = ["'%s' run '%s' -o '%s' -q --jobs %d" % (PROGRAM, BIG, case, jobs) for jobs in (2, 1)]
    two, one = measure(commands[0], clean(case)), measure(commands[1], clean(case))
    row('two workers against one', '1.7', two, one, *commands)


def bench_listing():
    image = os.path.join(WORK, 'files.img')
    if not os.path.exists(image):
        subprocess.run([os.path.join(SOURCE, 'fixtures', 'make_many_files.sh'), image, '100000'], check=True)
    out = os.path.join(WORK, 'listing')
    ours_command = "'%s' extract '%s' -o '%s' --path no/such/file -q" % (PROGRAM, image, out)
    theirs_command = "fls -r -m / '%s'" % image
    ours, theirs = measure(ours_command, clean(out)), measure(theirs_command)
    row('listing 100,000 files against fls -r -m', '5', ours, theirs, ours_command, theirs_command)


def bench_reading():
    ours_out, theirs_out = os.path.join(RAM, 'ours'), os.path.join(RAM, 'theirs')
    ours_command = "'%s' extract '%s' -o '%s' --path '**' --no-hash -q" % (PROGRAM, BIG, ours_out)
    theirs_command = "tsk_recover -a -o %d '%s' '%s'" % (partition_offset(), BIG, theirs_out)
    ours = measure(ours_command, lambda: shutil.rmtree(ours_out, ignore_errors=True), runs=2)
    shutil.rmtree(ours_out, ignore_errors=True)
    theirs = measure(theirs_command, lambda: shutil.rmtree(theirs_out, ignore_errors=True), runs=1)
    shutil.rmtree(theirs_out, ignore_errors=True)
    row('all allocated files of the E01 to /dev/shm against tsk_recover', '5', ours, theirs, ours_command, theirs_command)


def bench_memory():
    folder = os.path.join(WORK, 'large-log')
    log = os.path.join(folder, 'u_ex210303.log')
    if not os.path.exists(log):
        os.makedirs(folder, exist_ok=True)
        pieces = output("find '%s/logs/files' -name 'u_ex*.log' -size +20M | sort | head -n 40" % WORK).split('\n')[:-1]
        with open(log + '.part', 'wb') as target:
            while target.tell() < 4 << 30:
                for piece in pieces:
                    with open(piece, 'rb') as source:
                        shutil.copyfileobj(source, target, 1 << 20)
        os.rename(log + '.part', log)
    case = os.path.join(WORK, 'case-large')
    command = "'%s' run '%s' -o '%s' -q" % (PROGRAM, folder, case)
    ours = measure(command, clean(case), runs=1)
    row('peak memory of any process with a log of %.1f GiB' % (os.path.getsize(log) / 2**30), 'at most 256 MiB', ours, None,
        command, '-', '%.0f MiB, %.2f s, %.0f MB/s' % (ours[2], ours[0], os.path.getsize(log) / ours[0] / 1e6))


def run_on(evidence, options=''):
    """A run with one worker that copies no files and writes one list, and what to do before it."""
    case = os.path.join(WORK, 'case-one')
    return "'%s' run '%s' -o '%s' -q --jobs 1 --no-files --format jsonl%s" % (PROGRAM, evidence, case, options), clean(case)


def against(name, wanted, evidence, theirs_command, note, runs=1):
    command, before = run_on(evidence)
    row(name, wanted, measure(command, before), measure(theirs_command, runs=runs), command, theirs_command, note)


def speed(name, wanted, evidence, size, options=''):
    command, before = run_on(evidence, options)
    ours = measure(command, before)
    row(name, wanted, ours, None, command, '-', '%.2f s, %.0f MB/s, %.0f MB per CPU s' % (ours[0], size / ours[0] / 1e6, size / ours[1] / 1e6))


def bench_evtx():
    if not inputs.has_samples():
        return
    copies = inputs.copies_of_logs(os.path.join(WORK, 'evtx-copies'), 300 * 10**6)
    against('EVTX to matched events: copies of the samples, one each', '25', copies,
            "for f in '%s'/*.evtx; do evtxexport -f xml \"$f\"; done 2>/dev/null" % copies, '  (300 MB, 3,300 files)')
    log = inputs.once(os.path.join(WORK, 'evtx-dense', 'Application.evtx'), inputs.event_log(300 * 10**6))
    against('EVTX to matched events: one log of full chunks', '25', os.path.dirname(log), "evtxexport -f xml '%s'" % log,
            '  (300 MB, of which an eighth matches)')
    speed('the same without rules', '400 MB/s', os.path.dirname(log), os.path.getsize(log), ' --no-default-rules')


def bench_hive():
    hive = inputs.once(os.path.join(WORK, 'hive', 'SOFTWARE'), inputs.hive(48 << 20))
    against('hive walked with all values against regfexport', '50', os.path.dirname(hive), "regfexport '%s'" % hive, '  (48 MiB)')


def bench_journal():
    journal = inputs.once(os.path.join(WORK, 'usn', '$J'), inputs.journal(1 << 30))
    speed('$J, one worker', '300 MB/s', os.path.dirname(journal), os.path.getsize(journal))


def bench_mft():
    mft = inputs.once(os.path.join(WORK, 'mft', '$MFT'), inputs.mft(512 << 20))
    speed('$MFT, one worker', '300 MB/s', os.path.dirname(mft), os.path.getsize(mft))


def peak(name, wanted, path):
    command, before = run_on(os.path.dirname(path))
    ours = measure(command, before, runs=1)
    row(name, wanted, ours, None, command, '-', '%.0f MiB, %.2f s' % (ours[2], ours[0]))


def bench_peaks():
    if inputs.has_samples():
        peak('peak memory with a 4 GiB EVTX', 'at most 256 MiB',
             inputs.once(os.path.join(WORK, 'large-evtx', 'Application.evtx'), inputs.event_log(4 << 30)))
    peak('peak memory with a 1 GiB hive', 'at most 1536 MiB',
         inputs.once(os.path.join(WORK, 'large-hive', 'SOFTWARE'), inputs.hive(1 << 30)))
    peak('peak memory with a 32 GiB $J, all but 512 MiB sparse', 'at most 256 MiB',
         inputs.once(os.path.join(WORK, 'large-usn', '$J'), inputs.journal(512 << 20, 32 << 30)))


def merge_case():
    """The demonstration's case, of which bench/cases.py makes many."""
    demo, case = os.path.join(WORK, 'merge-demo'), os.path.join(WORK, 'merge-case')
    if not os.path.exists(demo):
        subprocess.run([os.path.join(SOURCE, 'fixtures', 'make_demo.sh'), demo, '--formats', 'folder'], stdout=subprocess.DEVNULL, check=True)
    shutil.rmtree(case, ignore_errors=True)
    subprocess.run([PROGRAM, 'run', os.path.join(demo, 'folder'), '-o', case, '-q', '--no-files'], check=False)
    return case


def bench_merge():
    """Joining so many cases of 10,000 indicators: linear in their number, in memory that does not grow."""
    case, folder, fleet = merge_case(), os.path.join(WORK, 'merge-cases'), os.path.join(WORK, 'merge-fleet')
    shutil.rmtree(folder, ignore_errors=True)
    for count in [int(word) for word in os.environ.get('BENCH_MERGE', '100,300').split(',')]:
        cases.make(case, folder, count, 10000, short=True)
        command = "'%s' merge '%s'/server-* -o '%s' -q" % (PROGRAM, folder, fleet)
        ours = measure(command, clean(fleet), runs=1)
        rows = output("wc -l <'%s/timeline.jsonl'" % fleet).strip()
        size = int(output("du -sb '%s' | cut -f1" % fleet))
        row('%d cases of 10,000 indicators merged' % count, 'linear, memory flat', ours, None, command, '-',
            '%.1f s, %.1f CPU microseconds a row, %.0f MiB, %s lines, %.1f GB written' % (
                ours[0], ours[1] / (count * 10000) * 1e6, ours[2], rows, size / 1e9))
        shutil.rmtree(fleet, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def bench_stages():
    case = os.path.join(WORK, 'case-stages')
    TRASH.take(case)
    TRASH.empty()
    measuring.settle()
    timed("cat '%s'* >/dev/null" % BIG[:-1])
    text, command = stages.bench(PROGRAM, LIMITS, BIG, case, timed)
    ROWS.append('%s   wanted: CPU seconds near the limits in brackets\n    %s' % (text, command))
    TRASH.take(case)
    TRASH.empty()


def bench_growth():
    """Minutes: 16 GiB of logs, a million files, 4,000 rules."""
    measured = growth.Growth(PROGRAM, WORK, SOURCE, TRASH, timed)
    measured.logs(os.path.join(WORK, 'logs', 'files'))
    measured.files()
    if os.path.isdir(event_logs()):
        measured.rules(event_logs(), rules_file)
    TRASH.empty()
    for series, points in measured.points.items():
        ROWS.append('growth with %s: %s' % (series + ' worker(s)', ', '.join('%g: %.2f s CPU, %.0f MiB' % (p[0], p[2], p[3]) for p in points)))
    print('# ' + measured.draw(), flush=True)


BENCHES = {'pipeline': bench_pipeline, 'verify': bench_verify, 'run-verify': bench_run_verify, 'matching': bench_matching, 'lists': bench_lists, 'rules': bench_rules, 'workers': bench_workers,
           'listing': bench_listing, 'reading': bench_reading, 'memory': bench_memory, 'evtx': bench_evtx,
           'stages': bench_stages, 'growth': bench_growth, 'hive': bench_hive, 'journal': bench_journal, 'mft': bench_mft, 'peaks': bench_peaks, 'merge': bench_merge}
ON_IMAGE = {'stages', 'growth', 'pipeline', 'verify', 'run-verify', 'matching', 'lists', 'workers', 'reading', 'memory'}


def main():
    unknown = set(WANTED) - set(BENCHES)
    if unknown:
        sys.exit('no such rows: %s; there are: %s' % (' '.join(sorted(unknown)), ' '.join(BENCHES)))
    prepare()
    if any(is_wanted(name) for name in ON_IMAGE):
        prepare_image()
    for name, bench in BENCHES.items():
        if is_wanted(name):
            bench()
    print('\n%-58s %10s %10s' % ('', 'ours', 'theirs'))
    print('\n'.join(ROWS))
    shutil.rmtree(RAM, ignore_errors=True)


if __name__ == '__main__':
    main()
