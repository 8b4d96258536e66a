"""Running the program on the built evidence, and reading the case that it made: what the tests of the whole share."""
import csv
import json
import os
import shutil
import subprocess

from tap import result

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
WORK = os.path.join(BUILD, 'tests', 'evidence')
CASES = os.path.join(WORK, 'cases')
VOLATILE = {'run.json', 'log.txt', 'SHA256SUMS'}  # the only files that may differ between two runs

said = {}  # by case: what the run wrote to the terminal


def extriage(*arguments, **more):
    return subprocess.run([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, errors='replace', timeout=600, **more)


def case_of(name, evidence, *options, expect=2):
    folder = os.path.join(CASES, name)
    shutil.rmtree(folder, ignore_errors=True)
    run = extriage('run', *([evidence] if isinstance(evidence, str) else evidence), '-o', folder, *options)
    said[name] = run.stdout
    result(run.returncode == expect, '%s: run gives exit code %d' % (name, expect),
           'it gave %d\n%s' % (run.returncode, run.stderr[-1500:]))
    return folder


def lines_of(folder, name='timeline.jsonl'):
    with open(os.path.join(folder, name), encoding='utf-8') as file:
        return [json.loads(line) for line in file]


def read_json(folder, name):
    with open(os.path.join(folder, name), encoding='utf-8') as file:
        return json.load(file)


def table(path):
    with open(path, encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file, delimiter='\t', quoting=csv.QUOTE_NONE))


def file_bytes(path):
    with open(path, 'rb') as file:
        return file.read()


def same_files(name, first, second):
    names = sorted(set(os.listdir(first)) | set(os.listdir(second)))
    different = [n for n in names if n not in VOLATILE and os.path.isfile(os.path.join(first, n)) and
                 (not os.path.exists(os.path.join(second, n)) or
                  file_bytes(os.path.join(first, n)) != file_bytes(os.path.join(second, n)))]
    result(not different, name, 'different: %s' % different)
