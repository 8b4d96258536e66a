#!/usr/bin/env python3
"""TAP: known files over whole runs: lists of hashes, a clean server as folder and image, Microsoft's lists, and their limits."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

from tap import plan, result, skip

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(SOURCE, 'fixtures', 'builders'))
import pe  # noqa: E402

BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
WORK = os.path.join(BUILD, 'tests', 'known-good-work')
EXCHANGE = 'Program Files/Microsoft/Exchange Server/V15'
FRONT = EXCHANGE + '/FrontEnd/HttpProxy'
PAGE = '<%%@ Page Language="C#" %%> <%%-- %s --%%>\n'
SAMPLES = ('owa/global.asax', 'ecp/global.asax', 'ews/global.asax')


def write(path, content):
    path = os.path.join(WORK, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as out:
        out.write(content if isinstance(content, bytes) else content.encode())
    return path


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def make_rules():
    """Our rules with lists of two builds, of contents that are made here."""
    rules = os.path.join(WORK, 'rules')
    shutil.copytree(os.path.join(SOURCE, 'rules'), rules)
    rows = ['path\tsha256\tbuilds']
    for name in SAMPLES + ('owa/auth/logon.aspx', 'owa/auth/errorFE.aspx', 'owa/auth/frowny.aspx'):
        rows.append('\\FrontEnd\\HttpProxy\\%s\t%s\t15.1.2106.2' % (name.replace('/', '\\'), sha256(PAGE % name)))
    rows.append('\\FrontEnd\\HttpProxy\\owa\\auth\\logoff.aspx\t%s\t15.1.2044.4' % sha256(PAGE % 'an older logoff'))
    write('rules/web_baseline.tsv', '\n'.join(rows) + '\n')
    return rules


def make_server(name, version='15.1.2106.2', samples=True):
    """A server whose logon page was changed, with a page of its own and one of another build; both were compiled."""
    root = name + '/C/'
    write(root + 'Windows/System32/drivers/etc/hosts', '127.0.0.1 localhost\n')
    write(root + EXCHANGE + '/Bin/ExSetup.exe', pe.pe_text('version: %s\nname: ExSetup.exe\ncompany: Microsoft Corporation\n' % version))
    for sample in SAMPLES:
        write(root + FRONT + '/' + sample, PAGE % (sample if samples else 'another content of ' + sample))
    write(root + FRONT + '/owa/auth/logon.aspx', PAGE % 'owa/auth/logon.aspx' + '<%-- and what somebody added --%>')
    write(root + FRONT + '/owa/auth/errorFE.aspx', PAGE % 'owa/auth/errorFE.aspx')
    write(root + FRONT + '/owa/auth/logoff.aspx', PAGE % 'an older logoff')
    write(root + FRONT + '/owa/auth/help2.aspx', PAGE % 'a page that nobody knows')
    write(root + 'inetpub/wwwroot/shop/a.aspx', PAGE % 'a page of the shop')
    write(root + 'inetpub/wwwroot/shop/b.aspx', PAGE % 'another page of the shop')
    write(root + FRONT + '/owa/more.aspx', PAGE % 'another page that nobody knows')
    for page in ('auth/logon', 'auth/errorFE', 'auth/help2', 'more'):
        name = page.split('/')[-1]
        write(root + 'Windows/Microsoft.NET/Framework64/v4.0.30319/Temporary ASP.NET Files/owa/0a/0b/%s.aspx.1234abcd.compiled' % name.lower(),
              '<?xml version="1.0"?><preserve resultType="3" virtualPath="/owa/%s.aspx" hash="1" filehash="2" assembly="App_Web_%s" '
              'type="ASP.x"><filedeps><filedep name="/owa/%s.aspx" /></filedeps></preserve>' % (page, name, page))
    write(root + 'Windows/System32/inetsrv/config/applicationHost.config',
          '<configuration><system.applicationHost><sites><site name="Default Web Site" id="1"><application path="/"><virtualDirectory path="/" '
          'physicalPath="C:\\inetpub\\wwwroot" /></application><application path="/owa"><virtualDirectory path="/" physicalPath="C:\\%s\\owa" />'
          '</application></site></sites></system.applicationHost></configuration>\n' % FRONT.replace('/', '\\'))


def run(evidence, *options, rules=None):
    """Rows of indicators, notices, what was said."""
    case = os.path.join(WORK, 'case')
    shutil.rmtree(case, ignore_errors=True)
    environment = dict(os.environ)
    if rules:
        environment['EXTRIAGE_RULES'] = rules
    done = subprocess.run([PROGRAM, 'run', os.path.join(WORK, evidence), '-o', case, '-q', *options],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
    rows, notices = [], []
    for name in ('timeline.jsonl', 'undated.jsonl'):
        path = os.path.join(case, name)
        if os.path.exists(path):
            rows += [json.loads(line) for line in open(path, encoding='utf-8')]
    path = os.path.join(case, 'coverage.json')
    if os.path.exists(path):
        notices = [notice['why'] for notice in json.load(open(path, encoding='utf-8'))['notices']]
    return rows, notices, done.stdout.decode(errors='replace')


def pages(rows, rule, artifact='web_root'):
    return sorted({row['path'].split('\\')[-1] for row in rows if row['rule'] == rule and row['artifact'] == artifact})


def compiled(rows):
    return sorted(row['fields']['VirtualPath'] + ' ' + row['fields']['Baseline'] for row in rows
                  if row['rule'] == 'WS-24' and row['artifact'] == 'aspnet_compiled' and row['fields'].get('Baseline'))


def check_lists(rules):
    make_server('server')
    rows, notices, said = run('server', rules=rules)
    result(pages(rows, 'WS-13') == ['logon.aspx'], "a page with Microsoft's name and another content is told", (pages(rows, 'WS-13'), said))
    states = {row['path'].split('\\')[-1]: row['fields'].get('Baseline') for row in rows if row['artifact'] == 'web_root'}
    result(states.get('logon.aspx') == 'foreign', 'as foreign', states)
    result('errorFE.aspx' not in pages(rows, 'WS-13') and states.get('errorFE.aspx') in (None, 'shipped'), 'one with the content of the build is not', states)
    result(compiled(rows) == ['/owa/auth/help2.aspx not shipped', '/owa/auth/logon.aspx foreign', '/owa/more.aspx not shipped'], 'that the changed and the unknown page were compiled is told', compiled(rows))
    result(not [n for n in notices if "Microsoft's lists" in n], 'lists that fit need no word', notices)
    make_server('later', version='15.1.2507.6')
    rows, notices, _ = run('later', rules=rules)
    result(any('end before the installed build' in n for n in notices), 'that the lists end before the installed build is told', notices)
    result(not [r for r in rows if r['fields'].get('Baseline') == 'foreign'], 'then nothing is called foreign', rows)
    make_server('strange', samples=False)
    rows, notices, _ = run('strange', rules=rules)
    result(len([n for n in notices if 'the lists are left out' in n]) == 1, 'that the lists do not fit a server is told, once', notices)
    result(not pages(rows, 'WS-13') and not compiled(rows), 'and nothing is said by them', (pages(rows, 'WS-13'), compiled(rows)))
    _, four, _ = run('strange', '--jobs', '4', rules=rules)
    result(four == notices, 'the same with any number of workers', four)


def check_hashes(rules):
    """A table as NSRL has it, and a plain list."""
    page = os.path.join(WORK, 'server/C', FRONT, 'owa/auth/logon.aspx')
    content = open(page, 'rb').read()
    table = write('NSRLFile.txt', '"SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode"\n'
                  '"%s","%s","00000000","logon.aspx",100,1,"WIN",""\n' % (hashlib.sha1(content).hexdigest().upper(), hashlib.md5(content).hexdigest().upper()))
    rows, _, said = run('server', '--known-good', table, rules=rules)
    result(pages(rows, 'WS-13') == [], 'a page that a table of NSRL knows is not told', (pages(rows, 'WS-13'), said))
    plain = write('known.txt', sha256(PAGE % 'a page that nobody knows') + '\n')
    rows, _, said = run('server', '--known-good', plain, rules=rules)
    result(compiled(rows) == ['/owa/auth/logon.aspx foreign', '/owa/more.aspx not shipped'], 'neither is one that a list of SHA-256 knows', (compiled(rows), said))
    _, _, said = run('server', '--known-good', os.path.join(WORK, 'nothing.txt'))
    result('nothing.txt' in said, 'a list that is not there ends the run', said)
    empty = write('empty.txt', 'no hash\n')
    _, _, said = run('server', '--known-good', empty)
    result('holds no hashes' in said, 'and so does one without hashes', said)


def check_clean_server(rules):
    make_server('clean')
    os.remove(os.path.join(WORK, 'clean/C', FRONT, 'owa/auth/help2.aspx'))
    os.remove(os.path.join(WORK, 'clean/C/inetpub/wwwroot/shop/b.aspx'))
    write('clean/C/' + FRONT + '/owa/auth/errorFE.aspx', PAGE % 'what the clean server has')
    write('clean/C/inetpub/wwwroot/shop/a.aspx', PAGE % 'the shop as it was')
    folder = os.path.join(WORK, 'clean')
    rows, _, said = run('server', '--baseline', folder, rules=rules)
    result(pages(rows, 'WS-13') == ['a.aspx'], 'a page that the clean server has with another content is told', (pages(rows, 'WS-13'), said))
    states = {row['path'].split('\\')[-1]: row['fields'].get('Baseline') for row in rows if row['artifact'] == 'web_root'}
    result('logon.aspx' not in pages(rows, 'WS-13'), 'one that is the same there is at home, whatever the lists say', states)
    result(compiled(rows) == ['/owa/auth/help2.aspx not shipped'], 'a page that it does not have is told', compiled(rows))
    if not shutil.which('mke2fs'):
        skip('an image of the clean server', 'no mke2fs')
        return
    image = os.path.join(WORK, 'clean.img')
    subprocess.run(['mke2fs', '-q', '-q', '-t', 'ext4', '-d', os.path.join(folder, 'C'), image, '16M'], check=True, stdout=subprocess.DEVNULL)
    other, _, said = run('server', '--baseline', image, rules=rules)
    result(other == rows and rows, 'an image of the clean server tells the same', said)
    _, _, said = run('server', '--baseline', os.path.join(WORK, 'nothing'))
    result('nothing' in said, 'a clean server that is not there ends the run', said)


def names_in_lists(folder):
    """The pages that Microsoft's lists have directly in a folder below FrontEnd\\HttpProxy or ClientAccess, also of a build."""
    found = set()
    pattern = re.compile(r'\\(?:FrontEnd\\HttpProxy|ClientAccess)\\%s\\(?:[0-9.]+\\|Version\\)?([^\\\t]+)\.aspx\t' % re.escape(folder), re.I)
    with open(os.path.join(SOURCE, 'rules', 'web_baseline.tsv'), encoding='utf-8') as rows:
        for line in rows:
            match = pattern.match(line)
            if match:
                found.add(match.group(1).lower())
    return found


def check_names():
    """The names that rules for requests and compiled pages let pass are those of the lists."""
    listed = names_in_lists(r'owa\auth')
    result(len(listed) >= 9 and names_in_lists(r'ecp\auth') == {'timeoutlogout'}, 'the lists name pages', sorted(listed))
    for path, more in (('sigma/configuration/compiled_pages.yml', set()), ('sigma/webshell/page_in_static_folder.yml', {'casredirect'})):
        text = open(os.path.join(SOURCE, 'rules', path), encoding='utf-8').read()
        passed = set(re.search(r'owa/auth/(?:\([^)]*\)\?)?\((logon[^)]*)\)', text).group(1).replace('error2?', 'error|error2').split('|'))
        result(passed == listed | more, '%s lets these pass and no other' % path.split('/')[-1], (sorted(passed ^ (listed | more))))


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    rules = make_rules()
    check_lists(rules)
    check_hashes(rules)
    check_clean_server(rules)
    check_names()
    code = plan()
    if not code:
        shutil.rmtree(WORK, ignore_errors=True)
    return code


raise SystemExit(main())
