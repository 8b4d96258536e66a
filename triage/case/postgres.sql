-- What the database of many cases has beside their tables, which triage/case/postgres.c makes like those of a case: keys, indexes and
-- views. README.md of this folder describes them. "server" is the number of a case in the table server.

CREATE TABLE agent (server bigint NOT NULL, agent text, indicator_count bigint, first bigint, last bigint);

CREATE UNIQUE INDEX indicator_number ON indicator (server, source_row);
CREATE INDEX indicator_time ON indicator (timestamp) WHERE dated;
CREATE INDEX indicator_rule ON indicator (server, rule);
CREATE INDEX indicator_path ON indicator (path text_pattern_ops);
CREATE INDEX indicator_level ON indicator (level, timestamp);
CREATE UNIQUE INDEX rule_number ON rule (server, "index");
CREATE INDEX fact_kind ON fact (kind);
CREATE INDEX file_sha256 ON file (sha256);
CREATE INDEX incident_id ON incident (server, id);
CREATE INDEX incident_file_sha256 ON incident_file (sha256);
CREATE INDEX incident_indicator_row ON incident_indicator (server, indicator);
CREATE INDEX actor_address ON actor (address);
CREATE INDEX agent_server ON agent (server);
CREATE INDEX agent_agent ON agent (agent);

-- Exact for all times that a record can have: seconds and microseconds are added apart.
CREATE FUNCTION moment(microseconds bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT timestamptz '1970-01-01 00:00:00+00' + div(microseconds, 1000000)::float8 * interval '1 second'
                                               + (microseconds % 1000000)::float8 * interval '1 microsecond' $$;

CREATE VIEW v_timeline AS
SELECT s.name AS "case", s.host AS server_name, i.source_row AS id, CASE WHEN i.dated THEN moment(i.timestamp) END AS time,
       i.timestamp_desc AS time_means, i.time_basis,
       (ARRAY['informational', 'low', 'medium', 'high', 'critical'])[i.level + 1] AS level,
       r.name AS rule, r.title AS rule_title, r.confidence AS rule_confidence, r.tags AS tags, i.message,
       coalesce(i.fields ->> 'ClientIpAddress', i.fields ->> 'c-ip', i.fields ->> 'IpAddress', i.fields ->> 'SourceIp') AS address,
       i.host, i.artifact, i.path, i.evidence, i.volume, i.snapshot, i.mft_entry, i."offset", i.record,
       i.raw, i.raw_sha256, i.fields, i.how, i.marks, i.server
FROM indicator i JOIN server s ON s.number = i.server JOIN rule r ON r.server = i.server AND r."index" = i.rule;

CREATE VIEW v_incident AS
SELECT s.name AS "case", s.host, i.*,
       (SELECT string_agg(a.address, ' ' ORDER BY a.source_row) FROM actor a WHERE a.server = i.server AND a.incident = i.id) AS addresses,
       (SELECT string_agg(f.path, chr(10) ORDER BY f.source_row) FROM incident_file f WHERE f.server = i.server AND f.incident = i.id) AS files
FROM incident i JOIN server s ON s.number = i.server;

CREATE VIEW v_cve AS
SELECT s.name AS "case", s.host, c.* FROM cve c JOIN server s ON s.number = c.server
ORDER BY array_position(ARRAY['succeeded', 'attempted', 'failed', 'not_determinable'], c.outcome), c.cve, s.name;

CREATE VIEW v_coverage AS
SELECT s.name AS "case", s.host, c.artifact, count(*) AS files, sum(c.bytes) AS bytes, sum(c.records) AS records, sum(c.used) AS used,
       sum(c.repaired) AS repaired, sum(c.rejected) AS rejected, nullif(min(nullif(c.first, '')), '') AS first,
       nullif(max(c.last), '') AS last, count(*) FILTER (WHERE c.damage <> '[]') AS damaged_files, sum(c.gaps) AS gaps,
       sum(c.missing) AS missing_numbers
FROM coverage c JOIN server s ON s.number = c.server GROUP BY s.name, s.host, c.artifact;

CREATE VIEW v_mitigation AS
SELECT c.name AS "case", c.host, m.name, m.kind, m.state, m.cves, s.since, s.since_bound, s.since_how, s.until, s.until_bound, s.until_how,
       s.in_place, m.source
FROM mitigation m JOIN server c ON c.number = m.server LEFT JOIN mitigation_span s ON s.server = m.server AND s.mitigation = m.source_row;

CREATE VIEW v_moved AS
SELECT s.name AS "case", s.host, m.artifact, m.kind, m.name, m.network, m.intruder, m.sent, m.received, m.lines, m.sent_during_intrusion,
       m.sent_during_intrusion / nullif(m.days_during_intrusion, 0) AS sent_a_day_during_intrusion,
       (m.sent - m.sent_during_intrusion) / nullif(m.days_other, 0) AS sent_a_day_otherwise, m.times_usual
FROM moved m JOIN server s ON s.number = m.server WHERE m.name IS NOT NULL OR m.kind = 'all';

CREATE VIEW v_log AS
SELECT s.name AS "case", s.host, r.artifact, c.files, c.records, r.first, r.last, r.begins_after_first_trace, r.days_before_first_trace,
       r.days_after_installation, r.deleted_files, r.deleted_young, r.deleted_first, r.deleted_last, r.why
FROM retention r JOIN server s ON s.number = r.server
LEFT JOIN (SELECT server, artifact, count(*) AS files, sum(records) AS records FROM coverage GROUP BY server, artifact) c
       ON c.server = r.server AND c.artifact = r.artifact;

CREATE VIEW v_rule AS
SELECT r.name AS rule, r.title, r.level, r.confidence, count(DISTINCT r.server) AS servers, count(*) AS indicator_count
FROM rule r JOIN indicator i ON i.server = r.server AND i.rule = r."index" GROUP BY r.name, r.title, r.level, r.confidence;

CREATE VIEW v_shared_address AS
SELECT a.address, count(DISTINCT a.server) AS servers, string_agg(DISTINCT s.name, ',' ORDER BY s.name) AS cases, min(a.first) AS first,
       max(a.last) AS last, sum(a.indicator_count) AS indicator_count, bool_or(i.kind = 'intrusion') AS intruder
FROM actor a JOIN server s ON s.number = a.server JOIN incident i ON i.server = a.server AND i.id = a.incident
WHERE a.address IS NOT NULL AND NOT a.private GROUP BY a.address;

CREATE VIEW v_shared_agent AS
SELECT a.agent, count(DISTINCT a.server) AS servers, string_agg(DISTINCT s.name, ',' ORDER BY s.name) AS cases,
       sum(a.indicator_count) AS indicator_count
FROM agent a JOIN server s ON s.number = a.server GROUP BY a.agent;

CREATE VIEW v_shared_file AS
SELECT f.sha256, count(DISTINCT f.server) AS servers, string_agg(DISTINCT s.name, ',' ORDER BY s.name) AS cases, min(f.first) AS first,
       min(f.path) AS path
FROM incident_file f JOIN server s ON s.number = f.server JOIN incident i ON i.server = f.server AND i.id = f.incident
WHERE f.sha256 <> '' AND i.kind = 'intrusion' GROUP BY f.sha256;

CREATE VIEW v_order AS
SELECT name AS "case", host, infected, rung, verdict, confidence FROM server WHERE infected IS NOT NULL ORDER BY infected, name;
