#!/usr/bin/env python3
"""The software bill of materials, SPDX 2.3 as JSON: the program, each library that it or a helper is linked with (version as Debian has it,
licence), the rules with their hashes. The same input gives the same bytes.

A library that a program needs and that libraries.tsv does not know is an error, so the list cannot fall behind."""
import argparse
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
HOME = "https://extriage.example.org/"


def read_table():
    rows = []
    with open(os.path.join(HERE, "libraries.tsv")) as file:
        for line in file:
            if not line.startswith("#"):
                name, package, licence, home, linked, users = line.rstrip("\n").split("\t")
                rows.append({"name": name, "package": package, "licence": licence, "home": home, "static": linked != "shared", "users": users.split()})
    return rows


def needed(program):
    """Names like libewf, without version, of the libraries that a program asks for."""
    text = subprocess.run(["readelf", "-d", program], check=True, stdout=subprocess.PIPE, text=True).stdout
    found = re.findall(r"\(NEEDED\).*\[(.*?)\.so", text)
    return {re.sub(r"-0$", "", name) for name in found}


def check_programs(programs, rows, linkage):
    for program in programs:
        base = os.path.basename(program)
        names = needed(program)
        if linkage == "static":
            if names:
                sys.exit(f"{base} is said to be static and needs {sorted(names)}")
            continue
        unknown = names - {row["name"] for row in rows if base in row["users"]} - {"ld-linux-x86-64"}
        if unknown:
            sys.exit(f"{base} needs {sorted(unknown)}, which libraries.tsv does not know")


def used_libraries(programs, rows, linkage):
    if linkage == "static":
        return [row for row in rows if row["static"]]
    names = set().union(*(needed(program) for program in programs)) if programs else set()
    return [row for row in rows if row["name"] in names]


def version_of(package):
    done = subprocess.run(["dpkg-query", "-W", "-f=${Version}\t${Architecture}", package], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.split("\t") if done.returncode == 0 else ["NOASSERTION", ""]


def identifier(*parts):
    return "SPDXRef-" + "-".join(re.sub(r"[^A-Za-z0-9.-]", lambda match: f".{ord(match.group()):02x}", part) for part in parts)


def library(row):
    version, architecture = version_of(row["package"])
    package = {
        "SPDXID": identifier("Library", row["name"]),
        "name": row["name"],
        "versionInfo": version,
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "homepage": row["home"],
        "filesAnalyzed": False,
        "licenseConcluded": row["licence"],
        "licenseDeclared": row["licence"],
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "LIBRARY",
    }
    if architecture:
        package["externalRefs"] = [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{urllib.parse.quote(row['package'])}@{urllib.parse.quote(version)}?arch={architecture}",
        }]
    return package


def file_entry(kind, path, name, types):
    with open(path, "rb") as file:
        content = file.read()
    return {
        "SPDXID": identifier(kind, name),
        "fileName": "./" + name,
        "fileTypes": types,
        "checksums": [{"algorithm": "SHA1", "checksumValue": hashlib.sha1(content).hexdigest()},
                      {"algorithm": "SHA256", "checksumValue": hashlib.sha256(content).hexdigest()}],
        "licenseConcluded": "Apache-2.0",
        "licenseInfoInFiles": ["NOASSERTION"],
        "copyrightText": "NOASSERTION",
    }


def rule_files(folder):
    names = []
    for parent, _, files in os.walk(folder):
        names += [os.path.relpath(os.path.join(parent, name), folder) for name in files if not name.endswith(".md")]
    return [file_entry("Rule", os.path.join(folder, name), "rules/" + name, ["TEXT"]) for name in sorted(names)]


def verification_code(files):
    """SPDX 2.3, 7.9: SHA-1 over the sorted SHA-1 values."""
    values = sorted(file["checksums"][0]["checksumValue"] for file in files)
    return hashlib.sha1("".join(values).encode()).hexdigest()


def own_package(version, rules_version, files):
    common = {"supplier": "NOASSERTION", "downloadLocation": "NOASSERTION", "homepage": HOME, "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0",
              "copyrightText": "NOASSERTION"}
    program = {"SPDXID": "SPDXRef-Program", "name": "extriage", "versionInfo": version, "filesAnalyzed": False, "primaryPackagePurpose": "APPLICATION", **common}
    rules = {"SPDXID": "SPDXRef-Rules", "name": "extriage-rules", "versionInfo": rules_version, "filesAnalyzed": True,
             "packageVerificationCode": {"packageVerificationCodeValue": verification_code(files)}, "licenseInfoFromFiles": ["NOASSERTION"],
             "primaryPackagePurpose": "OTHER", **common}
    return [program, rules]


def relation(first, kind, second):
    return {"spdxElementId": first, "relationshipType": kind, "relatedSpdxElement": second}


def document(options):
    rows = read_table()
    check_programs(options.program, rows, options.linkage)
    libraries = used_libraries(options.program, rows, options.linkage)
    with open(os.path.join(options.rules, "VERSION")) as file:
        rules_version = file.readline().strip()
    rules = rule_files(options.rules)
    programs = []
    if options.linkage == "static":
        for path in options.program:
            base = os.path.basename(path)
            programs.append(file_entry("Executable", path, base if base == "extriage" else "helpers/" + base, ["BINARY"]))
    link = "STATIC_LINK" if options.linkage == "static" else "DYNAMIC_LINK"
    relations = [relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Program"), relation("SPDXRef-Program", "CONTAINS", "SPDXRef-Rules")]
    relations += [relation("SPDXRef-Program", "CONTAINS", file["SPDXID"]) for file in programs]
    relations += [relation("SPDXRef-Program", link, identifier("Library", row["name"])) for row in libraries]
    relations += [relation("SPDXRef-Rules", "CONTAINS", file["SPDXID"]) for file in rules]
    created = datetime.datetime.fromtimestamp(options.epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"extriage-{options.version}",
        "creationInfo": {"created": created, "creators": [f"Tool: extriage-sbom-{options.version}"]},
        "packages": own_package(options.version, rules_version, rules) + [library(row) for row in libraries],
        "files": programs + rules,
        "hasExtractedLicensingInfos": [],
        "relationships": relations,
    }
    if any("LicenseRef-public-domain" in row["licence"] for row in libraries):
        body["hasExtractedLicensingInfos"].append({"licenseId": "LicenseRef-public-domain", "name": "public domain", "extractedText": "In the public domain."})
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    body["documentNamespace"] = f"{HOME}spdx/extriage-{options.version}-{digest[:32]}"
    return body


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--version", required=True)
    parser.add_argument("--epoch", type=int, required=True)
    parser.add_argument("--linkage", choices=("dynamic", "static"), required=True)
    parser.add_argument("--rules", required=True)
    parser.add_argument("--program", action="append", default=[])
    parser.add_argument("-o", dest="output", required=True)
    options = parser.parse_args()
    text = json.dumps(document(options), indent=1, sort_keys=True) + "\n"
    with open(options.output, "w") as file:
        file.write(text)


main()
