#!/usr/bin/env python3
"""TAP: the software bill of materials (make sbom) against SPDX 2.3: what must be there, ids, relations, hashes; that it names what the
programs are linked with; that it is the same each time and says when a library is unknown."""
import collections
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import plan, result, skip_all  # noqa: E402

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("top_builddir", os.getcwd())
RULES = os.path.join(SOURCE, "rules")
SCRIPT = os.path.join(SOURCE, "triage", "package", "sbom.py")
PROGRAMS = [path for path in [os.path.join(BUILD, "extriage")] + [os.path.join(BUILD, "helpers", name) for name in ("bitlocker", "shadow_copy", "ese", "evt")]
            if os.path.exists(path)]
# https://spdx.org/licenses/, of those that the table uses.
LICENCES = {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "blessing", "bzip2-1.0.6", "CC0-1.0", "CPL-1.0", "GPL-3.0-or-later", "IPL-1.0", "LGPL-2.1-only", "LGPL-2.1-or-later",
            "LGPL-3.0-or-later", "MIT", "PostgreSQL", "RSA-MD", "Unicode-DFS-2016", "Zlib", "GCC-exception-3.1", "NOASSERTION"}
RELATIONS = {"DESCRIBES", "CONTAINS", "DYNAMIC_LINK", "STATIC_LINK"}

def make(output, *more, script=SCRIPT, **environment):
    programs = [word for program in PROGRAMS for word in ("--program", program)]
    return subprocess.run([sys.executable, "-B", script, "--version", "1.2.3", "--epoch", "1600000000", "--linkage", "dynamic", "--rules", RULES, *programs, "-o", output, *more],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment})


def missing_keys(document):
    wanted = [(document, "document", ("spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo", "packages", "files", "relationships"))]
    wanted += [(package, package.get("name"), ("SPDXID", "name", "versionInfo", "downloadLocation", "filesAnalyzed", "licenseConcluded", "licenseDeclared", "copyrightText"))
               for package in document["packages"]]
    wanted += [(file, file.get("fileName"), ("SPDXID", "fileName", "checksums", "licenseConcluded", "licenseInfoInFiles", "copyrightText")) for file in document["files"]]
    return [f"{name}: {key}" for entry, name, keys in wanted for key in keys if key not in entry]


def check(document):
    entries = document["packages"] + document["files"]
    ids = ["SPDXRef-DOCUMENT"] + [entry["SPDXID"] for entry in entries]
    result(not missing_keys(document), "each element has what SPDX 2.3 demands", "\n".join(missing_keys(document)))
    result(document["spdxVersion"] == "SPDX-2.3" and document["dataLicense"] == "CC0-1.0" and document["creationInfo"]["created"] == "2020-09-13T12:26:40Z" and
           all(re.match(r"(Tool|Person|Organization): \S", creator) for creator in document["creationInfo"]["creators"]), "version, licence of the data, creation")
    result(re.match(r"https://[^#\s]+$", document["documentNamespace"]), "the namespace is an address without a fragment", document["documentNamespace"])
    doubled = [name for name, count in collections.Counter(ids).items() if count > 1]
    odd = [name for name in ids if not re.match(r"SPDXRef-[A-Za-z0-9.-]+$", name)]
    result(not doubled and not odd, f"{len(ids)} ids, each once, of the letters that are allowed", doubled + odd)
    wrong = [one for one in document["relationships"] if one["spdxElementId"] not in ids or one["relatedSpdxElement"] not in ids or one["relationshipType"] not in RELATIONS]
    result(not wrong, "relations are of known kinds and between elements that are there", wrong)
    related = {one["relatedSpdxElement"] for one in document["relationships"]}
    result(not set(ids) - related - {"SPDXRef-DOCUMENT"}, "nothing stands alone", set(ids) - related)
    words = {word for entry in entries for key in ("licenseConcluded", "licenseDeclared") if key in entry for word in re.split(r" (?:AND|OR|WITH) ", entry[key])}
    extra = {one["licenseId"] for one in document["hasExtractedLicensingInfos"]}
    result(not words - LICENCES - extra and extra <= words, "licences are SPDX expressions", words - LICENCES - extra)
    references = [one["referenceLocator"] for package in document["packages"] for one in package.get("externalRefs", [])]
    result(all(re.match(r"pkg:deb/debian/[a-z0-9.+%-]+@[A-Za-z0-9.+~%:-]+\?arch=\w+$", one) for one in references), "package URLs have their form", references)


def check_rules(document):
    told = {file["fileName"][2:]: {one["algorithm"]: one["checksumValue"] for one in file["checksums"]} for file in document["files"]}
    found = {}
    for parent, _, names in os.walk(RULES):
        for name in names:
            if not name.endswith(".md"):
                with open(os.path.join(parent, name), "rb") as file:
                    content = file.read()
                found["rules/" + os.path.relpath(os.path.join(parent, name), RULES)] = {"SHA1": hashlib.sha1(content).hexdigest(), "SHA256": hashlib.sha256(content).hexdigest()}
    result(found and told == found, f"each file of the rules with its hashes ({len(found)})", set(found) ^ set(told))
    code = hashlib.sha1("".join(sorted(one["SHA1"] for one in found.values())).encode()).hexdigest()
    package = [one for one in document["packages"] if one["SPDXID"] == "SPDXRef-Rules"][0]
    with open(os.path.join(RULES, "VERSION")) as file:
        version = file.readline().strip()
    result(package["packageVerificationCode"]["packageVerificationCodeValue"] == code and package["versionInfo"] == version, "verification code and version of the rules")


def check_libraries(document):
    names = {one["name"] for one in document["packages"]}
    for program in PROGRAMS:
        text = subprocess.run(["readelf", "-d", program], stdout=subprocess.PIPE, text=True).stdout
        needed = {re.sub(r"-0$", "", name) for name in re.findall(r"\(NEEDED\).*\[(\w+(?:[-+]\w+)*?)\.so", text)} - {"libasan", "libubsan", "ld-linux-x86-64"}
        result(needed and needed <= names, f"what {os.path.basename(program)} is linked with is there ({len(needed)})", needed - names)


def check_unknown(work):
    """Without its line in the table, a library is an error and no gap."""
    shutil.copy(SCRIPT, work)
    with open(os.path.join(SOURCE, "triage", "package", "libraries.tsv")) as file, open(os.path.join(work, "libraries.tsv"), "w") as copy:
        copy.writelines(line for line in file if not line.startswith("libewf\t"))
    done = make(os.path.join(work, "unknown.json"), script=os.path.join(work, "sbom.py"))
    result(done.returncode != 0 and "libewf" in done.stdout and not os.path.exists(os.path.join(work, "unknown.json")), "a library without its line in the table is an error", done.stdout)


def main():
    if not shutil.which("readelf") or subprocess.run(["sh", "-c", f"readelf -d {PROGRAMS[0]} | grep -q san"]).returncode == 0:
        skip_all("a build with sanitizers, or no readelf")
        return 0
    with tempfile.TemporaryDirectory() as work:
        first, second = os.path.join(work, "first.json"), os.path.join(work, "second.json")
        done = make(first)
        result(done.returncode == 0, "it is made", done.stdout)
        with open(first) as file:
            text = file.read()
        document = json.loads(text)
        check(document)
        check_rules(document)
        check_libraries(document)
        make(second, TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="7")
        with open(second) as file:
            result(file.read() == text, "made again, it is the same")
        check_unknown(work)
    return plan()


sys.exit(main())
