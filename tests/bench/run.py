#!/usr/bin/env python3
"""make bench: the figures that matter, each beside what people use today, as ratios, with the commands used.

    run.py PROGRAM WORKDIR [NAME...]     only the named rows (default: all)

Wall time is the median of three runs after one to warm the page cache; what takes longer than a minute is run once.
"""
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(sys.argv[1])
WORK = os.path.abspath(sys.argv[2])
WANTED = sys.argv[3:]
RAM = '/dev/shm/extriage-bench'
BIG = os.path.join(WORK, 'big.E01')
ROWS = []


def timed(command, cwd=None):
    started = time.monotonic()
    done = subprocess.run(['/usr/bin/time', '-f', '%U %S %M', '-o', os.path.join(WORK, 'time'), 'sh', '-c', command],
                          cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors='replace')
    wall = time.monotonic() - started
    with open(os.path.join(WORK, 'time'), encoding='utf-8') as file:
        user, system, memory = file.read().split('\n')[-2].split()
    if done.returncode not in (0, 2):
        print('# exit code %d: %s\n%s' % (done.returncode, command, done.stderr[-800:]), flush=True)
    return wall, float(user) + float(system), int(memory) / 1024


def measure(command, before=None, runs=3):
    """Median wall seconds, CPU seconds and peak MiB of the largest process."""
    results = []
    for i in range(runs + 1):
        if before:
            before()
        result = timed(command)
        if i > 0 or result[0] > 60:
            results.append(result)
        if result[0] > 60:
            break
    return tuple(statistics.median(r[k] for r in results) for k in range(3))


def row(name, wanted, ours, theirs, our_command, their_command, note=''):
    ratio = theirs[0] / ours[0] if theirs else None
    text = '%-58s %8.2f s %8.2f s   %6.2f times faster   wanted: %s%s' % (
        name, ours[0], theirs[0], ratio, wanted, note) if theirs else '%-58s %s   wanted: %s' % (name, note, wanted)
    ROWS.append(text)
    print('%s\n    ours:   %s\n    theirs: %s' % (text, our_command, their_command), flush=True)


def is_wanted(name):
    return not WANTED or name in WANTED


def clean(path):
    return lambda: shutil.rmtree(path, ignore_errors=True)


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
    shutil.rmtree(tree, ignore_errors=True)


def bench_verify():
    ours_command, before = whole_run()
    theirs_command = "ewfverify -q '%s'" % BIG
    ours, theirs = measure(ours_command, before), measure(theirs_command, runs=1)
    row('run against ewfverify of the same image', '1', ours, theirs, ours_command, theirs_command)
    verify_command = "'%s' verify '%s'" % (PROGRAM, BIG)
    row('verify (three hashes) against ewfverify (one)', '-', measure(verify_command, runs=1), theirs, verify_command,
        theirs_command)


def bench_matching():
    logs = os.path.join(WORK, 'logs', 'files')
    case = os.path.join(WORK, 'case-logs')
    size = int(output("du -sb '%s' | cut -f1" % logs))
    ours_command = "'%s' run '%s' -o '%s' -q --jobs 1 --no-files" % (PROGRAM, logs, case)
    theirs_command = "rg -j1 -F -i -c -f '%s/literals' '%s'" % (WORK, logs)
    ours, theirs = measure(ours_command, clean(case)), measure(theirs_command)
    row('logs matched and accounted, one worker, against rg -j1', '1', ours, theirs, ours_command, theirs_command,
        '  (%.0f against %.0f MB/s, %.2f GB of logs)' % (size / ours[0] / 1e6, size / theirs[0] / 1e6, size / 1e9))


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
    ours = measure(ours_command, clean(ours_out), runs=2)
    shutil.rmtree(ours_out, ignore_errors=True)
    theirs = measure(theirs_command, clean(theirs_out), runs=1)
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


BENCHES = {'pipeline': bench_pipeline, 'verify': bench_verify, 'matching': bench_matching, 'workers': bench_workers,
           'listing': bench_listing, 'reading': bench_reading, 'memory': bench_memory}


def main():
    prepare()
    for name, bench in BENCHES.items():
        if is_wanted(name):
            bench()
    print('\n%-58s %10s %10s' % ('', 'ours', 'theirs'))
    print('\n'.join(ROWS))
    shutil.rmtree(RAM, ignore_errors=True)


if __name__ == '__main__':
    main()
