#!/usr/bin/env python3
"""TAP: outputs read by the programs and libraries that they are made for: mactime, rdflib (JSON-LD), markdown-it; spreadsheets by rule."""
import csv
import json
import os
import re
import shutil
import subprocess
import sys

from tap import plan, result, skip, skip_all

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
WORK = os.path.join(BUILD, 'tests', 'consumers')
PYTHON = '/usr/bin/python3'  # the one that Debian's modules are for

GRAPH = """
import json, rdflib, sys
graph = rdflib.Graph()
graph.parse(sys.argv[1], format='json-ld')
kinds, dangling = {}, 0
subjects = set(graph.subjects())
for subject, kind in graph.subject_objects(rdflib.RDF.type):
    kinds[str(kind).rsplit('/', 1)[1]] = kinds.get(str(kind).rsplit('/', 1)[1], 0) + 1
for value in graph.objects():
    dangling += isinstance(value, rdflib.URIRef) and str(value).startswith('http://example.org/kb/') and value not in subjects
relative = [str(p) for p in graph.predicates() if not str(p).startswith(('https://ontology.', 'http://www.w3.org/'))]
print(json.dumps({'triples': len(graph), 'kinds': kinds, 'dangling': dangling, 'relative': relative[:5]}))
"""

MARKDOWN = """
import json, sys
from markdown_it import MarkdownIt
with open(sys.argv[1], encoding='utf-8') as file:
    tokens = MarkdownIt('commonmark').enable('table').parse(file.read())
rows, row = [], None
for token in tokens:
    if token.type == 'tr_open':
        row = 0
    elif token.type in ('td_open', 'th_open'):
        row += 1
    elif token.type == 'tr_close':
        rows.append(row)
flat = tokens + [child for token in tokens for child in token.children or []]
print(json.dumps({'tables': sum(t.type == 'table_open' for t in tokens), 'rows': rows, 'headings': sum(t.type == 'heading_open' for t in tokens),
                  'html': [t.content for t in flat if t.type.startswith('html')], 'links': sum(t.type in ('link_open', 'image') for t in flat),
                  'codes': [t.content for t in flat if t.type == 'code_inline']}))
"""


def answer_of(program, *arguments):
    """The JSON that a small Python program prints; None when a module is missing."""
    run = subprocess.run([PYTHON, '-c', program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if 'ModuleNotFoundError' in run.stderr:
        return None
    return json.loads(run.stdout) if run.returncode == 0 else {'problem': run.stderr}


def path(*parts):
    return os.path.join(WORK, 'case', *parts)


def check_mactime():
    if not shutil.which('mactime'):
        skip('mactime reads bodyfile.txt', 'there is no mactime')
        return
    with open(path('bodyfile.txt'), encoding='utf-8') as file:
        lines = [line.rstrip('\n').split('|') for line in file]
    wanted = sum(len({time for time in line[7:11] if time != '0'}) for line in lines)
    run = subprocess.run(['mactime', '-b', path('bodyfile.txt'), '-d', '-y', '-z', 'UTC'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    rows = [row for row in csv.DictReader(run.stdout.splitlines()) if not row['Date'].startswith(('Xxx', '0000', '1970-01-01T00:00:00'))]
    result(run.returncode == 0 and not run.stderr and all(len(line) == 11 for line in lines) and len(rows) == wanted,
           'mactime tells each time of each file of bodyfile.txt', '%d of %d %s' % (len(rows), wanted, run.stderr))
    shell = sorted((row['Date'], row['Type']) for row in rows if row['File Name'].lower().endswith('\\aspnet_client\\iispage.aspx ($file_name)'))
    result(shell and shell[0][0].startswith('2021-03-03T04:37:3'), 'and when the web shell was made', shell)


def check_graph():
    found = answer_of(GRAPH, path('case-uco.jsonld'))
    if found is None:
        skip('rdflib reads case-uco.jsonld', 'python3-rdflib is not there')
        return
    with open(path('case-uco.jsonld'), encoding='utf-8') as file:
        nodes = json.load(file)['@graph']
    kinds = {}
    for node in nodes:
        kind = node['@type'].split(':')[1]
        kinds[kind] = kinds.get(kind, 0) + 1
    wrong = {kind: (count, found.get('kinds', {}).get(kind)) for kind, count in kinds.items() if found.get('kinds', {}).get(kind, 0) < count}
    result(not wrong and found.get('triples', 0) > 10 * len(nodes), 'rdflib reads every object of case-uco.jsonld', '%s %s' % (wrong, found))
    result(found.get('relative') == [] and found.get('dangling') == 0, 'with names of the ontologies only, and no reference that leads nowhere', found)


def check_markdown():
    found = answer_of(MARKDOWN, path('summary.md'))
    if found is None:
        skip('markdown-it reads summary.md', 'python3-markdown-it is not there')
        return
    with open(path('findings.json'), encoding='utf-8') as file:
        findings = json.load(file)
    files = {file['path'] for incident in findings['incidents'] if incident['kind'] == 'intrusion' for file in incident['files']}
    result(found.get('tables', 0) >= 4 and found.get('headings', 0) >= 9 and min(found.get('rows') or [0]) >= 4 and
           {re.sub(r'[|`\x00-\x1f]', ' ', file) for file in files} <= set(found.get('codes', [])), 'markdown-it reads the tables of summary.md, and each path as it is', '%s %s' % (files, found))
    result(found.get('html') == [] and found.get('links') == 0, 'nothing of it is HTML or a link', found)


def check_spreadsheets():
    """Text of an attacker at the start of a cell is no formula, in a server's name, too."""
    case = path()
    formula = []
    for name, delimiter in (('timeline.csv', ','), ('files.csv', ','), ('timeline.plaso.csv', ','), ('timeline.l2t.csv', ','), ('timeline.tln', '|'),
                            ('bodyfile.txt', '|')):
        with open(os.path.join(case, name), encoding='utf-8', newline='') as file:
            text = file.read()
        rows = csv.reader(text.splitlines(True), delimiter=delimiter, quoting=csv.QUOTE_NONE if delimiter == '|' else csv.QUOTE_MINIMAL)
        formula += ['%s: %s' % (name, cell) for row in rows for cell in row if len(cell) > 1 and cell[0] in '=+-@' and not cell[1].isdigit()]
        formula += ['%s: byte %r' % (name, c) for c in set(text) if ord(c) < 32 and c not in '\r\n\t']
    result(not formula, 'no cell of a table is a formula or has a control character', '\n'.join(formula))


def evidence():
    """The demonstration, whose server and whose intruder are fond of formulas."""
    made = subprocess.run([os.path.join(SOURCE, 'fixtures', 'make_demo.sh'), os.path.join(WORK, 'demo'), '--formats', 'e01,folder'],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode == 77:
        skip_all(made.stdout.strip().splitlines()[-1])
        sys.exit(0)
    odd = os.path.join(WORK, 'odd', 'C', 'inetpub', 'wwwroot', 'aspnet_client')
    os.makedirs(odd)
    shutil.copy(os.path.join(WORK, 'demo', 'folder', 'C', 'inetpub', 'wwwroot', 'aspnet_client', 'iispage.aspx'),
                os.path.join(odd, '=cmd|\x1b[31m @SUM(1).aspx'))
    return [os.path.join(WORK, 'demo', 'EXCH01.E01'), os.path.join(WORK, 'odd')]


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    run = subprocess.run([PROGRAM, 'run', *evidence(), '-o', path(), '--format', 'all', '-q'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    result(run.returncode in (2, 3) and os.path.exists(path('case.db')), 'run --format all', run.stderr)
    check_mactime()
    check_graph()
    check_markdown()
    check_spreadsheets()
    shutil.rmtree(WORK, ignore_errors=True)
    return plan()


if __name__ == '__main__':
    sys.exit(main())
