#!/usr/bin/env python3
"""TAP: the verdict on other courses of events (fixtures/demo/scenarios), against what scenarios/NAME.json expects of it."""
import json
import os
import shutil
import subprocess
import sys

from findings_tables import check_tables
from tap import BRIEF, plan, result, skip_all

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get('top_builddir', os.getcwd())
PROGRAM = os.environ.get('EXTRIAGE', os.path.join(BUILD, 'extriage'))
WORK = os.path.join(BUILD, 'tests', 'scenarios-work')
EXPECTED = os.path.join(SOURCE, 'tests', 'scenarios')
MOST = {'half_logs.json', 'mitigation_gap.json'}  # with sanitizers: what findings the others have is in these, or in the demonstration


def part_of(expected, found):
    """Whether what is found says all that is expected; times may be cut."""
    return all(str(found.get(key)).startswith(value) if key == 'first' else found.get(key) == value
               for key, value in expected.items())


def check(name, expected, code, findings):
    cves = {row['cve']: row for row in findings['cves']}
    verdict = findings['verdict']
    intrusions = [sorted(actor['address'] for actor in incident['actors'])
                  for incident in findings['incidents'] if incident['kind'] == 'intrusion']
    result(code == expected['exit'], '%s: exit code %d' % (name, expected['exit']), code)
    result(part_of(expected['verdict'], verdict), '%s: the verdict' % name, verdict)
    outcomes = {cve: cves[cve]['outcome'] for cve in expected['outcomes']}
    result(outcomes == expected['outcomes'], '%s: the outcome of each vulnerability' % name, outcomes)
    exposures = {cve: cves[cve]['exposure'] for cve in expected.get('exposures', {})}
    result(exposures == expected.get('exposures', {}), '%s: what the server was open to' % name, exposures)
    result(part_of(expected['update'], findings['update']), '%s: the state of updates' % name, findings['update'])
    result(sorted(intrusions) == sorted(expected['intrusions']), '%s: the intrusions and their addresses' % name, intrusions)
    result([row['status'] for row in findings['taken']] == expected['taken'], '%s: what was taken' % name, findings['taken'])
    timings = {cve: cves[cve]['timing'] for cve in expected.get('timings', {})}
    mitigations = [[row['name'], row['state']] for row in findings['mitigations']]
    gaps = [[row['cve'], row['from'][:19]] for row in findings['mitigation_gaps']]
    result(timings == expected.get('timings', {}) and mitigations == expected.get('mitigations', []) and gaps == expected.get('gaps', []),
           '%s: mitigations, their gaps, and who was first' % name, '%s %s %s' % (timings, mitigations, gaps))
    private = [actor['address'] for incident in findings['incidents'] for actor in incident['actors'] if actor['private']]
    result(not private, '%s: no proxy of the own network is an actor' % name, private)
    unsaid = [text for text in expected.get('says', []) if text not in verdict['summary']]
    unsaid += [text for text in expected.get('limits', []) if not any(text in limit for limit in verdict['limits'])]
    result(not unsaid, '%s: what the verdict says, and what it cannot know' % name, '%s\n%s' % (unsaid, verdict))


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    for file in sorted(MOST if BRIEF else os.listdir(EXPECTED)):
        name = file[:-len('.json')]
        with open(os.path.join(EXPECTED, file), encoding='utf-8') as stream:
            expected = json.load(stream)
        out, case = os.path.join(WORK, name), os.path.join(WORK, name + '-case')
        built = subprocess.run([os.path.join(SOURCE, 'fixtures', 'make_demo.sh'), out, '--formats', 'folder', '--scenario', name],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if built.returncode == 77:
            skip_all(built.stdout.strip().splitlines()[-1])
            return 0
        result(built.returncode == 0, '%s is built' % name, built.stdout)
        run = subprocess.run([PROGRAM, 'run', os.path.join(out, 'folder'), '-o', case, '-q', '--fail-level', 'high'],
                             stderr=subprocess.PIPE, text=True, check=False)
        try:
            with open(os.path.join(case, 'findings.json'), encoding='utf-8') as stream:
                findings = json.load(stream)
            check(name, expected, run.returncode, findings)
            check_tables(name, case, findings)
        except OSError as problem:
            result(False, '%s: run gives findings' % name, '%s\n%s' % (problem, run.stderr))
        shutil.rmtree(out)
    shutil.rmtree(WORK, ignore_errors=True)
    return plan()


if __name__ == '__main__':
    sys.exit(main())
