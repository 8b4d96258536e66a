"""How time and memory grow with what there is to do: logs, files, rules; one worker and two. One SVG."""
import json
import os
import subprocess

import plot

GIB = 1 << 30
LOG_SIZES = (1, 4, 16)
FILE_COUNTS = (10000, 100000, 1000000)
RULE_COUNTS = (40, 400, 4000)
LIMIT = 256  # MiB of any process


def log_files(source):
    """Logs of about a GiB in all."""
    found, total = [], 0
    for folder, folders, names in sorted(os.walk(source)):
        folders.sort()
        for name in sorted(names):
            size = os.path.getsize(os.path.join(folder, name))
            if size > 1 << 20 and total < GIB:
                found.append(os.path.join(folder, name))
                total += size
    return found, total


def linked_logs(source, folder, gibibytes):
    """So many GiB of logs, each a file of its own: names of one GiB of them, so that reading does not wait for the disk."""
    files, total = log_files(source)
    size, number = 0, 0
    while size < gibibytes * GIB - total // 2:
        for path in files:
            target = os.path.join(folder, 'set%d' % number, os.path.relpath(path, source))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if not os.path.exists(target):
                os.link(path, target)
        size += total
        number += 1
    return size


class Growth:
    def __init__(self, program, work, source, trash, timed):
        self.program, self.work, self.source, self.trash, self.timed = program, work, source, trash, timed
        self.case = os.path.join(work, 'case-growth')
        self.points = {}

    def run(self, series, x, evidence, options=''):
        self.trash.take(self.case)
        command = "'%s' run '%s' -o '%s' -q --no-files%s" % (self.program, evidence, self.case, options)
        wall, cpu, memory = self.timed(command)
        self.points.setdefault(series, []).append((x, wall, cpu, memory))
        print('    %-16s %10g %8.2f s wall %8.2f s CPU %6.0f MiB   %s' % (series, x, wall, cpu, memory, command), flush=True)

    def logs(self, source):
        for gibibytes in LOG_SIZES:
            folder = os.path.join(self.work, 'growth-logs-%d' % gibibytes)
            size = linked_logs(source, folder, gibibytes)
            for jobs in (1, 2):
                self.run('logs, %d' % jobs, size / GIB, folder, ' --jobs %d' % jobs)

    def files(self):
        for count in FILE_COUNTS:
            image = os.path.join(self.work, 'growth-files-%d.img' % count)
            if not os.path.exists(image):
                subprocess.run([os.path.join(self.source, 'fixtures', 'make_many_files.sh'), image, str(count)],
                               stderr=subprocess.DEVNULL, check=True)
            for jobs in (1, 2):
                self.run('files, %d' % jobs, count, image, ' --jobs %d' % jobs)

    def rules(self, logs, rules_file):
        for count in RULE_COUNTS:
            for jobs in (1, 2):
                self.run('rules, %d' % jobs, count, logs,
                         " --jobs %d --no-default-rules --rules '%s'" % (jobs, rules_file(count)))

    def panels(self, kind, title, x_label):
        """Time above, memory below."""
        def series(column, name):
            return [plot.Series(name % (jobs, 's' if jobs > 1 else ''),
                                [(p[0], max(p[column], 0.01)) for p in self.points['%s, %d' % (kind, jobs)]]) for jobs in (1, 2)]
        first = self.points['%s, 1' % kind]
        linear = plot.Series('in proportion to the first', [(p[0], first[0][2] * p[0] / first[0][0]) for p in first], True)
        limit = plot.Series('limit: %d MiB' % LIMIT, [(p[0], LIMIT) for p in first], True)
        times = series(2, 'CPU, %d worker%s') + series(1, 'wall, %d worker%s')
        compared = [] if kind == 'rules' else [linear]
        return (plot.Panel(title, x_label, 'seconds', times + compared),
                plot.Panel('', x_label, 'peak memory of a process, MiB', series(3, '%d worker%s') + [limit]))

    def draw(self):
        kinds = [('logs', 'Logs', 'GiB of logs'), ('files', 'Files', 'files in the file system'), ('rules', 'Rules', 'Sigma rules')]
        pairs = [self.panels(*kind) for kind in kinds if '%s, 1' % kind[0] in self.points]
        path = os.path.join(self.work, 'growth.svg')
        plot.write(path, 'extriage run: time and memory', '%s; both scales logarithmic; logs are read from the page cache' %
                   os.uname().machine, [[pair[0] for pair in pairs], [pair[1] for pair in pairs]])
        with open(os.path.join(self.work, 'growth.json'), 'w', encoding='utf-8') as file:
            json.dump(self.points, file, indent=1)
        return path
