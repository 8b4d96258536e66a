#!/usr/bin/env python3
"""TAP: manual pages and completions say what the program says. Each option of each command stands in its page and its completions, and
the reverse; the pages have no mistakes; the commands that they show as examples run."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import plan, result, skip  # noqa: E402

PROGRAM = os.environ["EXTRIAGE"]
MANUAL = os.path.join(os.environ["top_builddir"], "triage", "manual")

def run(*arguments, **more):
    return subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def read(name):
    with open(os.path.join(MANUAL, name)) as file:
        return file.read()


def difference(told, found):
    return "" if told == found else f"only in --help: {sorted(told - found)}; only here: {sorted(found - told)}"


# ---- what the program says ----
def commands():
    return re.findall(r"^  ([a-z]+) ", run(PROGRAM, "--help").stdout, re.M)


def names_of(command):
    """-x and --name, as they are typed."""
    text = run(PROGRAM, command, "--help").stdout.split("\noutputs for")[0]
    found = set()
    for line in re.findall(r"^  +-.*", text, re.M):
        head = re.match(r"  (?:(-\w), |    )(--[a-z-]+)", line)
        found |= {word for word in head.groups() if word}
    return found


def outputs_of(command):
    text = run(PROGRAM, command, "--help").stdout.partition("\noutputs for")[2]
    return set(re.findall(r"^[* ] ([a-z0-9]+) +[a-z0-9.-]+: ", text, re.M))


# ---- what the pages and completions say ----
def section(page, name):
    return re.split(r"^\.SH ", page.partition(f".SH {name}\n")[2], flags=re.M)[0]


def plain(roff):
    return re.sub(r"\\f[BIR]", "", roff).replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")


def page_names(command):
    found = set()
    for head in re.findall(r"^\.TP\n(.*)", section(read(f"extriage-{command}.1"), "OPTIONS"), re.M):
        found |= set(re.findall(r"(?:^|(?<=, ))--?[a-z-]+|^-C", plain(head)))
        found |= set(re.findall(r"^-\w\b", plain(head)))
    return found


def bash_names(command):
    match = re.search(rf"^    {command}\) options='([^']*)'", read("extriage.bash"), re.M)
    return set(match.group(1).split()) if match else set()


def zsh_names(command):
    match = re.search(rf"^        {command}\)\n(.*?);;", read("extriage.zsh"), re.M | re.S)
    return set(re.findall(r"'\*?(--?[A-Za-z-]+)\[", match.group(1))) if match else set()


def fish_names(command):
    found = set()
    for line in re.findall(rf"__fish_seen_subcommand_from {command}' -l .*", read("extriage.fish")):
        head = line.split(" -d ")[0]
        found |= {"--" + name for name in re.findall(r" -l (\S+)", head)} | {"-" + letter for letter in re.findall(r" -s (\S)", head)}
    return found


def check_options():
    for command in commands():
        told = names_of(command)
        for what, found in (("page", page_names), ("bash completion", bash_names), ("zsh completion", zsh_names), ("fish completion", fish_names)):
            problem = difference(told, found(command)) if len(told) > 3 else f"--help told {told}"
            result(not problem, f"{command}: the {what} has each option, and no other ({len(told)})", problem)
    for command in ("run", "report"):
        told = outputs_of(command)
        found = set(re.findall(r"^\.B ([a-z0-9]+)$", section(read(f"extriage-{command}.1"), "OUTPUTS"), re.M)) - {"all"}
        result(told and told == found, f"{command}: the page has each output, and no other ({len(told)})", difference(told, found))
    told = set(commands())
    found = set(re.findall(r"^\.BR extriage\\-([a-z]+) ", section(read("extriage.1"), "COMMANDS"), re.M))
    result(told == found, "the overview has each command, and no other", difference(told, found))


def check_pages():
    for name in sorted(os.listdir(MANUAL)):
        if not name.endswith(".1"):
            continue
        path = os.path.join(MANUAL, name)
        left = re.findall(r"^.*@[A-Za-z_-]+@.*$", read(name), re.M)
        result(not left, f"{name}: nothing is left to be filled in", "\n".join(left))
        if shutil.which("man"):
            said = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", path, env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "100"})
            wrong = re.findall(r"^.*(?:warning|error).*:.*$", said.stdout, re.M)
            result(said.returncode == 0 and not [line for line in wrong if path in line or "<standard input>" in line], f"{name}: man has nothing to say against it", "\n".join(wrong))
        else:
            skip(f"{name}: man", "there is no man")
        if shutil.which("mandoc"):
            # Old man macros may stand beside each other in ways of which mandoc says "STYLE".
            said = run("mandoc", "-Tlint", "-Wwarning", path)
            result(said.returncode == 0, f"{name}: mandoc has nothing to say against it", said.stdout)
        else:
            skip(f"{name}: mandoc", "there is no mandoc")


def check_shells():
    for shell in ("bash", "zsh", "fish"):
        path = os.path.join(MANUAL, "extriage." + shell)
        if not shutil.which(shell):
            skip(f"{shell} understands its completion", f"there is no {shell}")
            continue
        said = run(shell, "-n", path)
        result(said.returncode == 0 and not said.stdout, f"{shell} understands its completion", said.stdout)
    ask = "source {0}; COMP_WORDS=({1}); COMP_CWORD={2}; _extriage; echo ${{COMPREPLY[*]}}"
    for words, position, wanted in (("extriage m", 1, "merge"), ("extriage run --min", 2, "--min-level"), ("extriage run --min-level hi", 3, "high"),
                                    ("extriage report --format st", 3, "stix"), ("extriage rules ch", 2, "check"), ("extriage verify --sig", 2, "")):
        said = run("bash", "-c", ask.format(os.path.join(MANUAL, "extriage.bash"), words, position))
        result(said.stdout.strip() == wanted, f"bash completes '{words}' to '{wanted}'", said.stdout)
    if shutil.which("fish"):
        said = run("fish", "--no-config", "-c", f"source {os.path.join(MANUAL, 'extriage.fish')}; complete -C 'extriage run --min'")
        result(said.stdout.startswith("--min-level\t"), "fish completes 'extriage run --min'", said.stdout)
    else:
        skip("fish completes", "there is no fish")


# ---- the examples ----
LOG = """#Software: Microsoft Exchange Server\r
#Log-type: HttpProxy Logs\r
#Fields: DateTime,UrlStem,ClientIpAddress,UserAgent,HttpStatus,Method,AnchorMailbox,Protocol\r
2021-03-03T04:37:12.000Z,/ecp/y.js,203.0.113.77,ExampleAgent/1.0,200,POST,ServerInfo~a]@exch01.example.org:444/autodiscover/autodiscover.xml?#,Ecp\r
"""
RULE = """title: An example
id: 2f8f7bb8-7d3f-4d38-9a6c-0c7ef0b0a001
name: my-example
logsource:
    category: webserver
detection:
    page:
        cs-uri-stem|endswith: /example.aspx
    condition: page
level: medium
"""
# Programs that an example may use beside extriage; one that is not there is left out.
OTHERS = {"jq", "ssh-keygen", "grep", "echo", "mkdir", "tar"}


def prepare(work):
    logs = os.path.join(work, "tree", "Exchange Server", "V15", "Logging", "HttpProxy", "Ecp")
    os.makedirs(logs)
    with open(os.path.join(logs, "HttpProxy_2021030304-1.LOG"), "w", newline="") as file:
        file.write(LOG)
    os.makedirs(os.path.join(work, "myrules"))
    with open(os.path.join(work, "myrules", "example.yml"), "w") as file:
        file.write(RULE)
    with open(os.path.join(work, "iocs.txt"), "w") as file:
        file.write("203.0.113.77\nexample.org\n")
    rules = os.environ.get("EXTRIAGE_RULES", "")
    run("tar", "-cJf", os.path.join(work, "extriage-rules.tar.xz"), "-C", os.path.dirname(rules), os.path.basename(rules))
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(work, "key"))
    os.mkdir(os.path.join(work, "bin"))
    os.symlink(PROGRAM, os.path.join(work, "bin", "extriage"))
    image = os.path.join(work, "disk.img")
    with open(image, "wb") as file:
        file.truncate(16 << 20)
    for arguments in (["mke2fs", "-q", "-F", "-t", "ext4", "-d", os.path.join(work, "tree"), image], ["ewfacquire", "-q", "-u", "-t", os.path.join(work, "server"), image]):
        if not shutil.which(arguments[0]):
            return f"there is no {arguments[0]}"
        if run(*arguments).returncode != 0:
            return f"{arguments[0]} fails"
    return "" if os.path.exists(os.path.join(work, "server.E01")) else "no image"


def examples(name):
    text = section(read(name), "EXAMPLES") or section(read(name), "EXAMPLE")
    return [plain(line) for block in re.findall(r"^\.nf\n\.RS\n(.*?)\.RE", text, re.M | re.S) for line in block.splitlines()]


def try_example(line, work, environment):
    """Exit code 2 is that of findings. There is nothing to resume here, which is what the program has to say then."""
    if re.search(r" -o case( |$)", line) and "--resume" not in line:
        shutil.rmtree(os.path.join(work, "case"), ignore_errors=True)
    resumes = "--resume" in line
    said = run("bash", "-o", "pipefail", "-c", line.replace("-o case", "-o nothing") if resumes else line, cwd=work, env=environment)
    good = "holds no case to resume" in said.stdout if resumes else said.returncode in (0, 2)
    return good, said.stdout


def check_examples():
    with tempfile.TemporaryDirectory(prefix="extriage-manual-") as work:
        missing = prepare(work)
        environment = {**os.environ, "PATH": os.path.join(work, "bin") + ":" + os.environ["PATH"], "HOME": work, "XDG_DATA_HOME": ""}
        with open(os.path.join(work, "HttpProxy_2021030305-1.LOG"), "w", newline="") as file:
            file.write(LOG.replace("T04:", "T05:"))
        run("extriage", "run", "-q", "HttpProxy_2021030305-1.LOG", "-o", "other", cwd=work, env=environment)
        seen = set()
        for name in ["extriage.1"] + [f"extriage-{command}.1" for command in commands()]:
            for line in examples(name):
                if line in seen:
                    continue
                seen.add(line)
                words = re.findall(r"(?:^|\| |&& )(\S+)", line)
                lacking = [word for word in words if word in OTHERS and not shutil.which(word)]
                if missing or lacking:
                    skip(f"{name}: {line}", missing or f"there is no {lacking[0]}")
                    continue
                good, said = try_example(line, work, environment)
                result(good, f"{name}: {line}", said)


check_options()
check_pages()
check_shells()
check_examples()
sys.exit(plan())
