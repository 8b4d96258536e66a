-- What a finished case holds beside the rows that were collected: tables made of the findings, and views for
-- analysts. README.md of this folder describes them. Run once, by case_finish; changes raise SCHEMA_VERSION.

CREATE TABLE verdict (rung INTEGER, name TEXT, confidence TEXT, first TEXT, last TEXT, dwell_seconds INTEGER, summary TEXT,
                      determinable INTEGER);
INSERT INTO verdict
SELECT json_extract(body, '$.verdict.rung'), json_extract(body, '$.verdict.name'), json_extract(body, '$.verdict.confidence'),
       json_extract(body, '$.verdict.first'), json_extract(body, '$.verdict.last'),
       json_extract(body, '$.verdict.dwell_seconds'), json_extract(body, '$.verdict.summary'), json_extract(body, '$.verdict.determinable')
FROM document WHERE name = 'findings';

CREATE TABLE incident (id INTEGER PRIMARY KEY, kind TEXT, rung INTEGER, name TEXT, confidence TEXT, score INTEGER, sources TEXT,
                       first TEXT, last TEXT, actor_count INTEGER, file_count INTEGER, step_count INTEGER, indicator_count INTEGER);
INSERT INTO incident
SELECT json_extract(x.value, '$.id'), json_extract(x.value, '$.kind'), json_extract(x.value, '$.rung'), json_extract(x.value, '$.name'), json_extract(x.value, '$.confidence'), json_extract(x.value, '$.score'),
       json_extract(x.value, '$.sources'), json_extract(x.value, '$.first'), json_extract(x.value, '$.last'), json_extract(x.value, '$.actor_count'), json_extract(x.value, '$.file_count'),
       json_extract(x.value, '$.step_count'), json_extract(x.value, '$.indicator_count')
FROM document d, json_each(d.body, '$.incidents') x WHERE d.name = 'findings' ORDER BY 1;

-- The lists of each incident, cut out once: json_each() over i.value would print and read an incident again for each of its rows.
CREATE TEMP TABLE incident_part AS
SELECT json_extract(x.value, '$.id') AS id, json_extract(x.value, '$.actors') AS actors, json_extract(x.value, '$.files') AS files,
       json_extract(x.value, '$.steps') AS steps, json_extract(x.value, '$.through') AS through
FROM document d, json_each(d.body, '$.incidents') x WHERE d.name = 'findings' ORDER BY 1;

CREATE TABLE actor (incident INTEGER, address TEXT, private INTEGER, first TEXT, last TEXT, indicator_count INTEGER, rung INTEGER,
                    network TEXT);
INSERT INTO actor
SELECT i.id, json_extract(x.value, '$.address'), json_extract(x.value, '$.private'), json_extract(x.value, '$.first'), json_extract(x.value, '$.last'),
       json_extract(x.value, '$.indicator_count'), json_extract(x.value, '$.rung'), json_extract(x.value, '$.network')
FROM temp.incident_part i, json_each(i.actors) x ORDER BY 1, x.id;

CREATE TABLE passage (incident INTEGER, address TEXT, indicator_count INTEGER);
INSERT INTO passage
SELECT i.id, json_extract(x.value, '$.address'), json_extract(x.value, '$.indicator_count')
FROM temp.incident_part i, json_each(i.through) x ORDER BY 1, x.id;

CREATE TABLE incident_file (incident INTEGER, path TEXT, sha256 TEXT, size INTEGER, first TEXT, rung INTEGER, found INTEGER,
                            deleted INTEGER, requests INTEGER, first_request TEXT, last_request TEXT, requested_by TEXT);
INSERT INTO incident_file
SELECT i.id, json_extract(x.value, '$.path'), coalesce(json_extract(x.value, '$.sha256'), ''), json_extract(x.value, '$.size'), json_extract(x.value, '$.first'),
       json_extract(x.value, '$.rung'), json_extract(x.value, '$.found'), json_extract(x.value, '$.deleted'), json_extract(x.value, '$.requests'), json_extract(x.value, '$.first_request'),
       json_extract(x.value, '$.last_request'), json_extract(x.value, '$.requested_by')
FROM temp.incident_part i, json_each(i.files) x ORDER BY 1, x.id;

CREATE TABLE step (incident INTEGER, number INTEGER, time TEXT, until TEXT, what TEXT, level TEXT, actor TEXT, object TEXT,
                   indicator_count INTEGER, tried INTEGER, object_count INTEGER, also TEXT,
                   PRIMARY KEY (incident, number)) WITHOUT ROWID;
INSERT INTO step
SELECT i.id, x.key + 1, json_extract(x.value, '$.time'), json_extract(x.value, '$.until'), json_extract(x.value, '$.what'), json_extract(x.value, '$.level'),
       json_extract(x.value, '$.actor'), json_extract(x.value, '$.object'), json_extract(x.value, '$.indicator_count'), json_extract(x.value, '$.tried'),
       json_extract(x.value, '$.object_count'), json_extract(x.value, '$.also')
FROM temp.incident_part i, json_each(i.steps) x;

CREATE TABLE incident_indicator (incident INTEGER, step INTEGER, indicator INTEGER, PRIMARY KEY (incident, step, indicator))
WITHOUT ROWID;
INSERT OR IGNORE INTO incident_indicator
SELECT i.id, s.key + 1, x.value FROM temp.incident_part i, json_each(i.steps) s, json_each(s.value, '$.indicators') x;
CREATE INDEX incident_indicator_row ON incident_indicator (indicator);
DROP TABLE temp.incident_part;

CREATE TABLE cve (cve TEXT PRIMARY KEY, exposure TEXT, vulnerable_from TEXT, vulnerable_until TEXT, exposure_why TEXT, outcome TEXT,
                  why TEXT, first TEXT, last TEXT, indicator_count INTEGER, timing TEXT, timing_why TEXT) WITHOUT ROWID;
INSERT OR IGNORE INTO cve
SELECT json_extract(x.value, '$.cve'), json_extract(x.value, '$.exposure'), json_extract(x.value, '$.from'), json_extract(x.value, '$.until'), json_extract(x.value, '$.exposure_why'),
       json_extract(x.value, '$.outcome'), json_extract(x.value, '$.why'), json_extract(x.value, '$.first'), json_extract(x.value, '$.last'), json_extract(x.value, '$.indicator_count'),
       json_extract(x.value, '$.timing'), json_extract(x.value, '$.timing_why')
FROM document d, json_each(d.body, '$.cves') x WHERE d.name = 'findings';

CREATE TABLE cve_indicator (cve TEXT, indicator INTEGER, PRIMARY KEY (cve, indicator)) WITHOUT ROWID;
INSERT OR IGNORE INTO cve_indicator
SELECT json_extract(c.value, '$.cve'), x.value
FROM document d, json_each(d.body, '$.cves') c, json_each(c.value, '$.indicators') x WHERE d.name = 'findings';

CREATE TABLE taken (incident INTEGER, what TEXT, status TEXT, how TEXT, by TEXT, time TEXT, size INTEGER, indicator INTEGER);
INSERT INTO taken
SELECT json_extract(x.value, '$.incident'), json_extract(x.value, '$.what'), json_extract(x.value, '$.status'), json_extract(x.value, '$.how'), json_extract(x.value, '$.by'), json_extract(x.value, '$.time'),
       json_extract(x.value, '$.size'), json_extract(x.value, '$.indicators[0]')
FROM document d, json_each(d.body, '$.taken') x WHERE d.name = 'findings' ORDER BY x.id;

CREATE TABLE destroyed (what TEXT, how TEXT, rule TEXT, first TEXT, last TEXT, indicator_count INTEGER);
INSERT INTO destroyed
SELECT json_extract(x.value, '$.what'), json_extract(x.value, '$.how'), json_extract(x.value, '$.rule'), json_extract(x.value, '$.first'), json_extract(x.value, '$.last'),
       json_extract(x.value, '$.indicator_count')
FROM document d, json_each(d.body, '$.destroyed') x WHERE d.name = 'findings' ORDER BY x.id;

CREATE TABLE moved (artifact TEXT, kind TEXT, name TEXT, sent INTEGER, received INTEGER, lines INTEGER, sent_during_intrusion INTEGER,
                    times_usual INTEGER, intruder INTEGER, network TEXT, days_during_intrusion INTEGER, days_other INTEGER);
INSERT INTO moved
SELECT json_extract(v.value, '$.artifact'), kinds.kind, json_extract(x.value, '$.name'), json_extract(x.value, '$.sent'), json_extract(x.value, '$.received'),
       json_extract(x.value, '$.lines'), json_extract(x.value, '$.sent_during_intrusion'), json_extract(x.value, '$.times_usual'), json_extract(x.value, '$.intruder'),
       json_extract(x.value, '$.network'), json_extract(v.value, '$.days_during_intrusion'), json_extract(v.value, '$.days_other')
FROM document d, json_each(d.body, '$.volumes') v,
     (SELECT 0 AS number, 'all' AS kind, '$.all' AS key UNION ALL SELECT 1, 'client', '$.clients' UNION ALL SELECT 2, 'user', '$.users'
      UNION ALL SELECT 3, 'program', '$.programs') kinds,
     json_each(CASE kinds.kind WHEN 'all' THEN json_array(json_extract(v.value, '$.all')) ELSE json_extract(v.value, kinds.key) END) x
WHERE d.name = 'findings' ORDER BY v.id, kinds.number, x.id;

CREATE TABLE remnant (kind TEXT, what TEXT, how TEXT, rule TEXT, time TEXT, indicator INTEGER);
INSERT INTO remnant
SELECT kinds.kind, json_extract(x.value, '$.what'), json_extract(x.value, '$.how'), json_extract(x.value, '$.rule'), json_extract(x.value, '$.time'),
       json_extract(x.value, '$.indicators[0]')
FROM document d, (SELECT 'account' AS kind, '$.accounts' AS key UNION ALL SELECT 'persistence', '$.persistence') kinds,
     json_each(d.body, kinds.key) x WHERE d.name = 'findings' ORDER BY kinds.kind, x.id;

CREATE TABLE lead (what TEXT, why TEXT, indicator_count INTEGER);
INSERT INTO lead
SELECT json_extract(x.value, '$.what'), json_extract(x.value, '$.why'), json_extract(x.value, '$.indicator_count')
FROM document d, json_each(d.body, '$.leads') x WHERE d.name = 'findings' ORDER BY x.id;

CREATE TABLE check_result (id TEXT, level TEXT, what TEXT, why TEXT, indicator_count INTEGER);
INSERT INTO check_result
SELECT json_extract(x.value, '$.id'), json_extract(x.value, '$.level'), json_extract(x.value, '$.what'), json_extract(x.value, '$.why'), json_extract(x.value, '$.indicator_count')
FROM document d, json_each(d.body, '$.checks') x WHERE d.name = 'findings' ORDER BY x.id;

-- The indicators behind rows of destroyed, lead and check_result: "row" is the rowid there.
CREATE TABLE finding_indicator (kind TEXT, row INTEGER, indicator INTEGER, PRIMARY KEY (kind, row, indicator)) WITHOUT ROWID;
INSERT OR IGNORE INTO finding_indicator
SELECT kinds.kind, f.key + 1, x.value
FROM document d, (SELECT 'destroyed' AS kind, '$.destroyed' AS key UNION ALL SELECT 'lead', '$.leads' UNION ALL SELECT 'check_result', '$.checks')
     kinds, json_each(d.body, kinds.key) f, json_each(f.value, '$.indicators') x WHERE d.name = 'findings';

CREATE TABLE verdict_limit (what TEXT);
INSERT INTO verdict_limit
SELECT x.value FROM document d, json_each(d.body, '$.verdict.limits') x WHERE d.name = 'findings' ORDER BY x.id;

-- What was installed, and what stood in the way of the vulnerabilities.
CREATE TABLE exchange (name TEXT, family TEXT, cu TEXT, build TEXT, install_path TEXT, roles TEXT, update_state TEXT, update_claimed TEXT,
                       update_found TEXT, update_why TEXT, files_compared INTEGER);
INSERT INTO exchange
SELECT json_extract(body, '$.exchange.name'), json_extract(body, '$.exchange.family'), json_extract(body, '$.exchange.cu'), json_extract(body, '$.exchange.build'),
       json_extract(body, '$.exchange.install_path'), json_extract(body, '$.exchange.roles'), json_extract(body, '$.update.state'), json_extract(body, '$.update.claimed'),
       json_extract(body, '$.update.found'), json_extract(body, '$.update.why'), json_extract(body, '$.update.files_compared')
FROM document WHERE name = 'findings';

CREATE TABLE build_history (time TEXT, build TEXT, what TEXT, source TEXT);
INSERT INTO build_history
SELECT json_extract(x.value, '$.time'), json_extract(x.value, '$.build'), json_extract(x.value, '$.what'), json_extract(x.value, '$.source')
FROM document d, json_each(d.body, '$.exchange.history') x WHERE d.name = 'findings' ORDER BY x.id;

CREATE TABLE update_file (path TEXT, found TEXT, expected TEXT);
INSERT INTO update_file
SELECT json_extract(x.value, '$.path'), json_extract(x.value, '$.found'), json_extract(x.value, '$.expected')
FROM document d, json_each(d.body, '$.update.files') x WHERE d.name = 'findings' ORDER BY x.id;

CREATE TABLE mitigation (name TEXT, kind TEXT, state TEXT, cves TEXT, source TEXT);
INSERT INTO mitigation
SELECT json_extract(x.value, '$.name'), json_extract(x.value, '$.kind'), json_extract(x.value, '$.state'), json_extract(x.value, '$.cves'), json_extract(x.value, '$.source')
FROM document d, json_each(d.body, '$.mitigations') x WHERE d.name = 'findings' ORDER BY x.id;

CREATE TABLE mitigation_span (mitigation INTEGER, since TEXT, since_bound TEXT, since_how TEXT, until TEXT, until_bound TEXT, until_how TEXT,
                              in_place INTEGER);
INSERT INTO mitigation_span
SELECT m.key + 1, json_extract(x.value, '$.from'), json_extract(x.value, '$.from_bound'), json_extract(x.value, '$.from_how'), json_extract(x.value, '$.until'),
       json_extract(x.value, '$.until_bound'), json_extract(x.value, '$.until_how'), json_extract(x.value, '$.in_place')
FROM document d, json_each(d.body, '$.mitigations') m, json_each(m.value, '$.spans') x WHERE d.name = 'findings' ORDER BY m.key, x.id;

CREATE TABLE mitigation_gap (cve TEXT, mitigation TEXT, since TEXT, until TEXT, why TEXT);
INSERT INTO mitigation_gap
SELECT json_extract(x.value, '$.cve'), json_extract(x.value, '$.name'), json_extract(x.value, '$.from'), json_extract(x.value, '$.until'), json_extract(x.value, '$.why')
FROM document d, json_each(d.body, '$.mitigation_gaps') x WHERE d.name = 'findings' ORDER BY x.id;

CREATE TABLE configuration (setting TEXT, state TEXT, cves TEXT, required INTEGER, allowed INTEGER, off INTEGER, open TEXT, source TEXT, why TEXT);
INSERT INTO configuration
SELECT json_extract(x.value, '$.setting'), json_extract(x.value, '$.state'), json_extract(x.value, '$.cves'), json_extract(x.value, '$.required'), json_extract(x.value, '$.allowed'),
       json_extract(x.value, '$.off'), json_extract(x.value, '$.open'), json_extract(x.value, '$.source'), json_extract(x.value, '$.why')
FROM document d, json_each(d.body, '$.configuration') x WHERE d.name = 'findings' ORDER BY x.id;

CREATE TABLE retention (artifact TEXT, first TEXT, last TEXT, begins_after_first_trace INTEGER, days_before_first_trace INTEGER,
                        days_after_installation INTEGER, deleted_files INTEGER, deleted_young INTEGER, deleted_first TEXT, deleted_last TEXT,
                        why TEXT);
INSERT INTO retention
SELECT json_extract(x.value, '$.artifact'), json_extract(x.value, '$.first'), json_extract(x.value, '$.last'), json_extract(x.value, '$.begins_after_first_trace'),
       json_extract(x.value, '$.days_before_first_trace'), json_extract(x.value, '$.days_after_installation'), json_extract(x.value, '$.deleted_files'),
       json_extract(x.value, '$.deleted_young'), json_extract(x.value, '$.deleted_first'), json_extract(x.value, '$.deleted_last'), json_extract(x.value, '$.why')
FROM document d, json_each(d.body, '$.retention') x WHERE d.name = 'findings' ORDER BY x.id;
INSERT INTO retention (deleted_files, why)
SELECT json_extract(body, '$.deleted_files_of_other_logs'), 'of logs of which nothing is left' FROM document
WHERE name = 'findings' AND json_extract(body, '$.deleted_files_of_other_logs') > 0;

CREATE TABLE hybrid_trace (what TEXT, object TEXT, by TEXT, time TEXT, indicator INTEGER);
INSERT INTO hybrid_trace
SELECT json_extract(x.value, '$.what'), json_extract(x.value, '$.object'), json_extract(x.value, '$.by'), json_extract(x.value, '$.time'), json_extract(x.value, '$.indicators[0]')
FROM document d, json_each(d.body, '$.hybrid.traces') x WHERE d.name = 'findings' ORDER BY x.id;

CREATE TABLE hybrid_client (address TEXT, network TEXT, artifact TEXT, lines INTEGER, sent INTEGER);
INSERT INTO hybrid_client
SELECT json_extract(x.value, '$.address'), json_extract(x.value, '$.network'), json_extract(x.value, '$.artifact'), json_extract(x.value, '$.lines'), json_extract(x.value, '$.sent')
FROM document d, json_each(d.body, '$.hybrid.clients') x WHERE d.name = 'findings' ORDER BY x.id;

CREATE INDEX indicator_rule ON indicator (rule);
CREATE INDEX indicator_path ON indicator (path);
CREATE INDEX indicator_level ON indicator (level, timestamp);
CREATE INDEX file_path ON file (path);
CREATE INDEX file_sha256 ON file (sha256);
CREATE INDEX fact_kind ON fact (kind);

CREATE VIEW v_timeline AS
SELECT i.rowid AS id,
       CASE WHEN i.dated THEN strftime('%Y-%m-%dT%H:%M:%S', (i.timestamp - (i.timestamp % 1000000 + 1000000) % 1000000) / 1000000,
       'unixepoch') || printf('.%06dZ', (i.timestamp % 1000000 + 1000000) % 1000000) END AS time,
       i.timestamp_desc AS time_means, i.time_basis,
       CASE i.level WHEN 0 THEN 'informational' WHEN 1 THEN 'low' WHEN 2 THEN 'medium' WHEN 3 THEN 'high' ELSE 'critical' END AS level,
       r.name AS rule, r.title AS rule_title, r.confidence AS rule_confidence, r.tags AS tags, i.message,
       coalesce(json_extract(i.fields, '$.ClientIpAddress'), json_extract(i.fields, '$."c-ip"'), json_extract(i.fields, '$.IpAddress'), json_extract(i.fields, '$.SourceIp')) AS address,
       i.host, i.artifact, i.path, i.evidence, i.volume, i.snapshot, i.mft_entry, i.offset, i.record,
       i.raw, i.raw_sha256, i.fields, i.how, i.marks
FROM indicator i JOIN rule r ON r.rowid = i.rule + 1 ORDER BY i.rowid;

CREATE VIEW v_incident AS
SELECT i.*, (SELECT group_concat(address, ' ') FROM actor a WHERE a.incident = i.id) AS addresses,
       (SELECT group_concat(path, char(10)) FROM incident_file f WHERE f.incident = i.id) AS files
FROM incident i ORDER BY i.rung DESC, i.first;

CREATE VIEW v_actor AS
SELECT a.address, a.private, max(a.rung) AS rung, min(a.first) AS first, max(a.last) AS last,
       sum(a.indicator_count) AS indicator_count, group_concat(i.id || ' (' || i.kind || ')', ', ') AS incidents
FROM actor a JOIN incident i ON i.id = a.incident GROUP BY a.address ORDER BY max(a.rung) DESC, min(a.first);

CREATE VIEW v_file AS
SELECT f.path, f.evidence, f.volume, f.snapshot, f.mft_entry, f.size, f.owner, f.attributes, f.deleted, f.damaged, f.si_created,
       f.si_modified, f.fn_created, f.fn_modified, f.md5, f.sha1, f.sha256, f.stored, f.why AS artifacts,
       (SELECT group_concat(DISTINCT n.incident) FROM incident_file n WHERE n.path = f.path) AS incidents,
       (SELECT count(*) FROM indicator i WHERE i.path = f.path) AS indicator_count
FROM file f ORDER BY f.rowid;

CREATE VIEW v_coverage AS
SELECT artifact, count(*) AS files, sum(bytes) AS bytes, sum(records) AS records, sum(used) AS used, sum(repaired) AS repaired,
       sum(rejected) AS rejected, nullif(min(nullif(first, '')), '') AS first, nullif(max(last), '') AS last,
       sum(damage <> '[]') AS damaged_files, sum(gaps) AS gaps, sum(missing) AS missing_numbers
FROM coverage GROUP BY artifact ORDER BY artifact;

CREATE VIEW v_cve AS
SELECT * FROM cve ORDER BY CASE outcome WHEN 'succeeded' THEN 0 WHEN 'attempted' THEN 1 WHEN 'failed' THEN 2
                           WHEN 'not_determinable' THEN 3 ELSE 4 END, cve;

CREATE VIEW v_mitigation AS
SELECT m.name, m.kind, m.state, m.cves, s.since, s.since_bound, s.since_how, s.until, s.until_bound, s.until_how, s.in_place, m.source
FROM mitigation m LEFT JOIN mitigation_span s ON s.mitigation = m.rowid ORDER BY s.since IS NULL, s.since, m.name;

CREATE VIEW v_moved AS
SELECT artifact, kind, name, network, intruder, sent, received, lines, sent_during_intrusion,
       CASE WHEN days_during_intrusion > 0 THEN sent_during_intrusion / days_during_intrusion END AS sent_a_day_during_intrusion,
       CASE WHEN days_other > 0 THEN (sent - sent_during_intrusion) / days_other END AS sent_a_day_otherwise, times_usual
FROM moved WHERE name IS NOT NULL OR kind = 'all' ORDER BY intruder DESC, coalesce(times_usual, 0) DESC, sent DESC, artifact, kind, name;

CREATE VIEW v_log AS
SELECT r.artifact, c.files, c.records, c.first, c.last, c.damaged_files, r.begins_after_first_trace, r.days_before_first_trace,
       r.days_after_installation, r.deleted_files, r.deleted_young, r.deleted_first, r.deleted_last, r.why
FROM retention r LEFT JOIN v_coverage c ON c.artifact = r.artifact ORDER BY r.begins_after_first_trace DESC, r.artifact;

CREATE VIEW v_rule AS
SELECT r.name AS rule, r.title, r.level, r.confidence, r.state, r.reason, r.author, r.path, r.line, r.sha256,
       (SELECT count(*) FROM indicator i WHERE i.rule = r.rowid - 1) AS indicator_count
FROM rule r ORDER BY indicator_count DESC, r.name;
