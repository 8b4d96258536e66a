#!/usr/bin/env python3
"""TAP: nothing that was done is lost: kills at moments of seeded chance, full and read-only targets, runs that are gone on with.

    resume.py [KILLS [SEED]]     how many kills (default 24, with sanitizers 8); EXTRIAGE names the program, DEMO the folder of demonstration
                                 evidence (built when it is not there)

A run that was stopped and resumed, however often, has to give what an undisturbed one gives, to the byte.
"""
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

from tap import BRIEF, plan, result, skip, skip_all

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.path.abspath(os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage')))
WORK = os.path.join(BUILD, 'tests', 'resume-work')
KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else int(os.environ.get('RESUME_KILLS', '8' if BRIEF else '24'))
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 20210302
VOLATILE = {'run.json', 'log.txt', 'SHA256SUMS'}  # the only files that may differ between two runs
STAGES = ('surveying the evidence', 'reading and matching', 'reading what happened around it', 'copying what matched', 'verifying',
          'putting the findings together', 'writing the outputs')
OPTIONS = ('--verify', '--context', '30', '--format', 'all')

def command(folder, *options):
    return [PROGRAM, 'run', IMAGE, '-o', folder, '-q', *options]


def run(folder, *options, **more):
    return subprocess.run(command(folder, *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors='replace',
                          timeout=300, **more)


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def read_json(folder, name):
    with open(os.path.join(folder, name), encoding='utf-8') as file:
        return json.load(file)


def differences(first, second):
    """Paths of files that one of the two cases does not have, or has with other bytes."""
    found = []
    for one, other in ((first, second), (second, first)):
        for parent, _, names in os.walk(one):
            for name in names:
                path = os.path.relpath(os.path.join(parent, name), one)
                if path in VOLATILE:
                    continue
                if not os.path.exists(os.path.join(other, path)):
                    found.append(path + ' is not in ' + os.path.basename(other))
                elif one == first and read(os.path.join(one, path)) != read(os.path.join(other, path)):
                    found.append(path)
    if not found and read_json(first, 'run.json')['counts'] != read_json(second, 'run.json')['counts']:
        found.append('counts: %s against %s' % (read_json(first, 'run.json')['counts'], read_json(second, 'run.json')['counts']))
    sums = subprocess.run(['sha256sum', '-c', '--quiet', 'SHA256SUMS'], cwd=second, stdout=subprocess.PIPE, text=True)
    if sums.returncode:
        found.append(sums.stdout)
    return found


def workers_of(process):
    """Children of the run that are workers: they have the program's name."""
    found = []
    try:
        with open('/proc/%d/task/%d/children' % (process.pid, process.pid), encoding='ascii') as file:
            children = file.read().split()
        for child in children:
            with open('/proc/%s/cmdline' % child, 'rb') as file:
                if file.read().split(b'\0')[0] == PROGRAM.encode():
                    found.append(int(child))
    except OSError:
        pass
    return found


def wait_for(process, folder, stage):
    """Until the log of the run names the stage; False when it ended before."""
    path = os.path.join(folder, 'log.txt')
    while process.poll() is None:
        try:
            if stage.encode() in read(path):
                return True
        except OSError:
            pass
        time.sleep(0.002)
    return False


def kill_worker(process, chance):
    workers = workers_of(process)
    if not workers:
        return False
    try:
        os.kill(chance.choice(workers), signal.SIGKILL)
    except OSError:
        return False
    return True


HOW = {'SIGINT': signal.SIGINT, 'SIGTERM': signal.SIGTERM, 'kill -9': signal.SIGKILL}
SHARE = {'surveying the evidence': 0.12, 'reading and matching': 0.25, 'reading what happened around it': 0.05,
         'copying what matched': 0.1, 'verifying': 0.05, 'putting the findings together': 0.1, 'writing the outputs': 0.25}


def disturbed(folder, chance, stage, how, jobs, whole):
    """One run that is stopped in the stage; what came of it."""
    resumed = ['--resume'] if os.path.exists(os.path.join(folder, 'case.db.partial')) else []
    if resumed:
        os.unlink(os.path.join(folder, 'log.txt'))
    process = subprocess.Popen(command(folder, '--jobs', str(jobs), *OPTIONS, *resumed), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True, errors='replace')
    if wait_for(process, folder, stage):
        time.sleep(chance.random() * whole * SHARE[stage])
        if how == 'kill -9 of a worker':
            kill_worker(process, chance)
        else:
            process.send_signal(HOW[how])
    error = process.communicate(timeout=300)[1]
    return process.returncode, error


def until_done(folder, limit=3):
    for _ in range(limit):
        if not os.path.exists(os.path.join(folder, 'case.db.partial')):
            break
        again = run(folder, '--resume', '--jobs', '2', *OPTIONS)
        if again.returncode not in (2, 4):
            return again.stderr
    return ''


def unread_of(folder):
    path = os.path.join(folder, 'coverage.json')
    return json.dumps(read_json(folder, 'coverage.json')['unread'][:5]) if os.path.exists(path) else ''


def check_kills(reference, whole):
    """Every stage and every way, twice and more over; some runs are stopped twice before they may end."""
    chance = random.Random(SEED)
    ways = [(stage, how) for stage in STAGES for how in (*HOW, 'kill -9 of a worker')]
    chance.shuffle(ways)
    told = {code: 0 for code in ('stopped', 'went on')}
    for i in range(KILLS):
        stage, how = ways[i % len(ways)]
        jobs = 1 + chance.randrange(2)
        folder = os.path.join(WORK, 'killed')
        shutil.rmtree(folder, ignore_errors=True)
        code, error = disturbed(folder, chance, stage, how, jobs, whole)
        wanted = {2, 4} if how in ('SIGINT', 'SIGTERM') else {2, -9} if how == 'kill -9' else {2}
        problem = '' if code in wanted else 'it gave %s\n%s%s' % (code, error, unread_of(folder))
        told['stopped' if code != 2 else 'went on'] += 1
        if not os.path.exists(folder) or not os.listdir(folder):
            problem = problem or ('' if how == 'kill -9' else 'no case\n' + error)
            result(not problem, '%s while %s, %d jobs: nothing was begun' % (how, stage, jobs), problem)
            continue
        if os.path.exists(os.path.join(folder, 'case.db.partial')) and chance.random() < 0.4:
            second = chance.choice(STAGES)
            disturbed(folder, chance, second, chance.choice(list(HOW)), 1 + chance.randrange(2), whole)
            stage += ', then while ' + second
        problem = problem or until_done(folder)
        problem = problem or '\n'.join(differences(reference, folder))
        result(not problem, '%s while %s, %d jobs: to the byte what an undisturbed run gives' % (how, stage, jobs), problem)
    print('# %d runs were stopped, %d went on' % (told['stopped'], told['went on']))


def check_survey(reference):
    """Workers that are killed again and again in the survey: the run goes on, and says what it could not do."""
    folder = os.path.join(WORK, 'survey')
    shutil.rmtree(folder, ignore_errors=True)
    process = subprocess.Popen(command(folder, '--jobs', '1'), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    killed = set()
    while process.poll() is None and len(killed) < 2:
        for worker in set(workers_of(process)) - killed:
            try:
                os.kill(worker, signal.SIGKILL)
                killed.add(worker)
            except OSError:
                pass
    error = process.communicate()[1]
    unread = read_json(folder, 'coverage.json')['unread'] if os.path.exists(os.path.join(folder, 'coverage.json')) else []
    result(process.returncode == 3 and any('could not be surveyed' in row['why'] for row in unread),
           'a survey whose workers are killed twice does not end the run, and coverage.json tells of it',
           'code %s, %s\n%s' % (process.returncode, unread, error))


def check_interrupted_outputs(reference):
    """Each output of an interrupted case says that it is one."""
    folder = os.path.join(WORK, 'interrupted')
    for delay in (0.0, 0.02, 0.05, 0.1):
        shutil.rmtree(folder, ignore_errors=True)
        process = subprocess.Popen([PROGRAM, 'run', IMAGE, '-o', folder, '--jobs', '1', '--no-prefilter', '--format', 'all'],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if wait_for(process, folder, 'reading and matching'):
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
        out, error = process.communicate()
        if process.returncode == 4:
            break
    result(process.returncode == 4, 'an interrupted run gives exit code 4', 'code %s\n%s' % (process.returncode, error))
    if process.returncode != 4:
        return
    said = 'This run was interrupted while it was reading and matching'
    for name in ('report.html', 'findings.json', 'timeline.jsonl', 'timeline.csv', 'coverage.json', 'summary.md'):
        text = read(os.path.join(folder, name)).decode()
        result(said in text, 'an interrupted case says so in ' + name, text[:300])
    run_json, findings = read_json(folder, 'run.json'), read_json(folder, 'findings.json')
    result(run_json['exit_code'] == 4 and run_json['interrupted'], 'and in run.json', run_json['exit_code'])
    result(findings['interrupted']['files_read'] < findings['interrupted']['files_wanted'] and
           (findings['verdict']['rung'] > 0 or findings['verdict']['confidence'] != 'none'),
           'findings.json tells how far it came, and gives no all-clear', findings['verdict'])
    result(said in out and '--resume' in error, 'and on the terminal, with how to go on', out[:500] + error)
    merged = subprocess.run([PROGRAM, 'merge', folder, '-o', os.path.join(WORK, 'fleet')], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)
    result(merged.returncode == 1 and 'not finished' in merged.stderr, 'merge does not take it', merged.stderr)
    os.mkdir(os.path.join(folder, 'files.new'))  # as a run leaves it that is killed while it copies what it reads
    with open(os.path.join(folder, 'files.new', '1'), 'wb') as file:
        file.write(b'half a copy')
    again = run(folder, '--resume', '--format', 'all')
    plain = os.path.join(WORK, 'plain')
    shutil.rmtree(plain, ignore_errors=True)
    run(plain, '--format', 'all')
    found = differences(plain, folder)
    left = os.path.exists(os.path.join(folder, 'files.new'))
    result(again.returncode == 2 and not found and not left, 'resumed, nothing of that is left', '%s\n%s' % (again.stderr, found))


def partial_case(folder):
    """A case whose run was killed while it read."""
    for _ in range(5):
        shutil.rmtree(folder, ignore_errors=True)
        process = subprocess.Popen(command(folder, '--jobs', '1'), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(process, folder, 'reading and matching')
        process.kill()
        process.wait()
        if os.path.exists(os.path.join(folder, 'case.db.partial')):
            return


def check_refusals():
    """Only what was begun is gone on with, and the message names what is not the same."""
    folder = os.path.join(WORK, 'refused')
    partial_case(folder)
    copy = os.path.join(WORK, 'copy')
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(os.path.dirname(IMAGE), copy, ignore=shutil.ignore_patterns('folder', 'truth', 'ntfs_writer'))
    os.utime(os.path.join(copy, 'EXCH01.E03'))  # a later segment than the one that is named
    rule = os.path.join(WORK, 'more.yml')
    with open(rule, 'w', encoding='utf-8') as file:
        file.write('title: More\nname: MORE-1\nid: 3f1d4a52-0b5e-4f0c-9c39-6d1d6f8d1a01\nlogsource: {category: webserver}\n'
                   'detection:\n    a: {cs-uri-stem: /more}\n    condition: a\nlevel: low\n')
    for name, options, words in (('options', ('-m', 'high'), '--min-level'), ('rules', ('-r', rule), 'the rule MORE-1')):
        again = run(folder, '--resume', *options)
        result(again.returncode == 1 and words in again.stderr, 'other %s are refused by name' % name, again.stderr)
    other = subprocess.run([PROGRAM, 'run', os.path.join(copy, os.path.basename(IMAGE)), '-o', folder, '--resume', '-q'],
                           stderr=subprocess.PIPE, text=True)
    result(other.returncode == 1 and "the evidence 'EXCH01.E03'" in other.stderr, 'other evidence is refused by name', other.stderr)
    with sqlite3.connect(os.path.join(folder, 'case.db.partial')) as database:
        database.execute("UPDATE document SET body = replace(body, 'version of the program\t', 'version of the program\t9.') "
                         "WHERE name = 'run at work'")
    database.close()
    again = run(folder, '--resume')
    result(again.returncode == 1 and 'the version of the program' in again.stderr, 'another version is refused by name', again.stderr)
    nothing = os.path.join(WORK, 'nothing')
    again = run(nothing, '--resume')
    result(again.returncode == 1 and 'no case to resume' in again.stderr and not os.path.exists(nothing),
           'what is not there cannot be resumed, nor is it made', again.stderr)


def check_second_run():
    """Two runs at a time on one case."""
    folder = os.path.join(WORK, 'busy')
    shutil.rmtree(folder, ignore_errors=True)
    process = subprocess.Popen(command(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(process, folder, 'surveying')
    process.send_signal(signal.SIGSTOP)
    for option in ('--resume', '--clobber'):
        second = run(folder, option)
        result(second.returncode == 1 and 'another run is at work' in second.stderr, 'a second run with %s keeps away' % option,
               second.stderr)
    process.send_signal(signal.SIGCONT)
    result(process.wait() == 2, 'and does not disturb the first')


def check_damaged_partial():
    """A partial case that is damaged is not believed."""
    folder = os.path.join(WORK, 'spoilt')
    partial_case(folder)
    path = os.path.join(folder, 'case.db.partial')
    for side in ('-wal', '-shm'):
        if os.path.exists(path + side):
            with sqlite3.connect(path) as database:
                database.execute('PRAGMA wal_checkpoint(TRUNCATE)')
            database.close()
    with open(path, 'r+b') as file:
        size = file.seek(0, 2)
        for at in range(32768, size, 32768):
            file.seek(at)
            file.write(b'\xff' * 64)
    again = run(folder, '--resume')
    result(again.returncode == 1 and ('damaged' in again.stderr or 'malformed' in again.stderr),
           'a partial case that is damaged is named as such', '%s %s' % (again.returncode, again.stderr))


# --- targets that take no more ---

def check_file_limit(reference):
    """A limit on the size of files, as a quota is: no root needed."""
    for mib in (2,) if BRIEF else (1, 2, 3, 6):
        folder = os.path.join(WORK, 'limited')
        shutil.rmtree(folder, ignore_errors=True)
        limited = run(folder, *OPTIONS, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (mib << 20, mib << 20)))
        if limited.returncode == 2:
            skip('files of at most %d MiB' % mib, 'the case is smaller')
            continue
        told = limited.returncode == 1 and 'error' in limited.stderr.lower() and '--resume' in limited.stderr
        problem = until_done(folder) or '\n'.join(differences(reference, folder))
        result(told and not problem, 'files of at most %d MiB: a clear error, and resumed to the byte' % mib,
               '%s %s\n%s' % (limited.returncode, limited.stderr, problem))


def mounted(place, size):
    os.makedirs(place, exist_ok=True)
    return subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=' + size, 'none', place], stderr=subprocess.DEVNULL).returncode == 0


def check_full_disk(reference):
    place = os.path.join(WORK, 'small')
    if os.geteuid() != 0 or not mounted(place, '1m'):
        skip('a full disk', 'a file system of its own takes root')
        return
    try:
        for size in ('1m', '8m') if BRIEF else ('300k', '1m', '3m', '8m', '14m', '20m'):
            subprocess.run(['umount', place], check=True)
            mounted(place, size)
            folder = os.path.join(place, 'case')
            full = run(folder, *OPTIONS)
            if full.returncode == 2:
                skip('a disk of ' + size, 'the case fits')
                continue
            clear = full.returncode == 1 and any(w in full.stderr for w in ('No space left', 'disk is full', 'disk I/O'))
            subprocess.run(['mount', '-o', 'remount,size=400m', place], check=True)
            begun = os.path.exists(os.path.join(folder, 'case.db.partial'))
            problem = until_done(folder) if begun else run(folder, *OPTIONS, '--clobber').stderr
            problem = problem or '\n'.join(differences(reference, folder))
            result(clear and not problem, 'a disk of %s: a clear error, and resumed to the byte' % size,
                   '%s %s\n%s' % (full.returncode, full.stderr, problem))
        subprocess.run(['mount', '-o', 'remount,ro', place], check=True)
        for name, options in (('new', ()), ('case', ('--clobber',))):
            refused = run(os.path.join(place, name), *options)
            result(refused.returncode == 1 and 'ead-only' in refused.stderr, 'a read-only target (%s) is a clear error' % name, refused.stderr)
        found = differences(reference, os.path.join(place, 'case'))
        result(not found, 'and leaves what lies there alone', found)
        subprocess.run(['umount', place], check=True)
        mounted(place, '1m')
        out = subprocess.run([PROGRAM, 'extract', IMAGE, '-o', os.path.join(place, 'out'), '--path', '**/*.log', '-q'],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        result(out.returncode == 1 and any(w in out.stderr for w in ('No space left', 'disk is full')), 'extract to a full disk is a clear error', '%s %s' % (out.returncode, out.stderr))
        told = subprocess.run([PROGRAM, 'info', IMAGE], stdout=open('/dev/full', 'w'), stderr=subprocess.PIPE, text=True)
        result(told.returncode == 1 and 'No space left' in told.stderr, 'so is a terminal that takes nothing', told.stderr)
    finally:
        subprocess.run(['umount', place])


def main():
    global IMAGE
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    demo = os.environ.get('DEMO', os.path.join(WORK, 'demo'))
    if not os.path.exists(demo):
        made = subprocess.run([os.path.join(SOURCE, 'fixtures', 'make_demo.sh'), demo, '--formats', 'e01'], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if made.returncode == 77:
            skip_all(made.stdout.strip().splitlines()[-1])
            return 0
    IMAGE = os.path.join(demo, 'EXCH01.E01')
    reference = os.path.join(WORK, 'reference')
    started = time.monotonic()
    whole = run(reference, '--jobs', '1', *OPTIONS)
    seconds = time.monotonic() - started
    result(whole.returncode == 2, 'an undisturbed run', whole.stderr)
    check_kills(reference, seconds)
    check_survey(reference)
    check_interrupted_outputs(reference)
    check_refusals()
    check_second_run()
    check_damaged_partial()
    check_file_limit(reference)
    check_full_disk(reference)
    return plan()


if __name__ == '__main__':
    sys.exit(main())
