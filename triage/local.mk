# The program's sources by layer, lowest first. Libraries stand beside the layer that may use them.
noinst_LIBRARIES += libextriage.a
libextriage_a_SOURCES = \
	%D%/base/address.c %D%/base/address.h %D%/base/arena.c %D%/base/arena.h \
	%D%/base/base64.c %D%/base/base64.h \
	%D%/base/buffer.c %D%/base/buffer.h \
	%D%/base/cursor.c %D%/base/cursor.h \
	%D%/base/durable.c %D%/base/durable.h \
	%D%/base/alive.c %D%/base/alive.h \
	%D%/base/error.c %D%/base/error.h \
	%D%/base/glob.c %D%/base/glob.h \
	%D%/base/hash.c %D%/base/hash.h %D%/base/hash_stitched.c %D%/base/hash_stitched.h \
	%D%/base/instant.c %D%/base/instant.h \
	%D%/base/json.c %D%/base/json_check.c %D%/base/json.h \
	%D%/base/keyed_hash.c %D%/base/keyed_hash.h %D%/base/path.c %D%/base/path.h \
	%D%/base/tsv.c %D%/base/tsv.h \
	%D%/base/sandbox.c %D%/base/sandbox.h \
	%D%/base/utf16.c %D%/base/utf16.h \
	%D%/base/uuid.c %D%/base/uuid.h %D%/base/guid.c %D%/base/guid.h \
	%D%/base/zone.c %D%/base/zone.h \
	%D%/record/event.c %D%/record/event.h %D%/record/fields.def %D%/record/kinds.def \
	%D%/record/file.c %D%/record/file.h \
	%D%/record/helper_rows.c %D%/record/helper_rows.h \
	%D%/record/host.h %D%/record/host_json.c %D%/record/host_paths.c %D%/record/host_wire.c \
	%D%/record/source_map.c %D%/record/source_map.h \
	%D%/record/wire.c %D%/record/wire.h \
	%D%/helpers/channel.c %D%/helpers/channel.h \
	%D%/helpers/helper.c %D%/helpers/helper.h \
	%D%/helpers/server.c %D%/helpers/server.h %D%/helpers/shadow_copy.h %D%/helpers/bitlocker.h \
	%D%/evidence/bitlocker.c %D%/evidence/bitlocker.h \
	%D%/evidence/folder.c %D%/evidence/folder.h %D%/evidence/folder_parts.h \
	%D%/evidence/folder_names.c %D%/evidence/folder_drives.c \
	%D%/evidence/free_space.c %D%/evidence/free_space.h \
	%D%/evidence/listing.c %D%/evidence/listing.h %D%/evidence/listing_parts.h \
	%D%/evidence/listing_find.c %D%/evidence/listing_paths.c %D%/evidence/listing_walk.c \
	%D%/evidence/mft.c %D%/evidence/mft.h %D%/evidence/mft_lookup.c \
	%D%/evidence/mft_record.c %D%/evidence/mft_record.h \
	%D%/evidence/partitions.c %D%/evidence/partitions.h \
	%D%/evidence/probe.c %D%/evidence/probe.h \
	%D%/evidence/shadow.c %D%/evidence/shadow.h %D%/evidence/snapshot.h \
	%D%/evidence/snapshots.c %D%/evidence/snapshots.h \
	%D%/evidence/sleuthkit.c %D%/evidence/sleuthkit.h %D%/evidence/sleuthkit_parts.h \
	%D%/evidence/sleuthkit_content.c %D%/evidence/sleuthkit_image.c \
	%D%/evidence/sleuthkit_ntfs.c %D%/evidence/sleuthkit_walk.c \
	%D%/evidence/source.h \
	%D%/evidence/evidence.c %D%/evidence/evidence.h %D%/evidence/evidence_parts.h \
	%D%/evidence/evidence_open.c %D%/evidence/evidence_volumes.c \
	%D%/evidence/image.h %D%/evidence/image_methods.h \
	%D%/evidence/image.c %D%/evidence/image_verify.c \
	%D%/evidence/signature.c %D%/evidence/signature.h \
	%D%/evidence/segments.c %D%/evidence/segments.h \
	%D%/evidence/inflate.c %D%/evidence/inflate.h \
	%D%/evidence/ewf.c %D%/evidence/ewf.h %D%/evidence/ewf_metadata.c \
	%D%/evidence/ewf_chunks.c %D%/evidence/ewf_chunks.h %D%/evidence/ewf_cache.c \
	%D%/evidence/ewf_sections.c %D%/evidence/ewf_scan.h %D%/evidence/ewf_tables.c %D%/evidence/ewf_place.c \
	%D%/evidence/ewf_search.c %D%/evidence/ewf_libewf.c %D%/evidence/ewf_libewf.h \
	%D%/evidence/ntfs_owner.c %D%/evidence/ntfs_owner.h \
	%D%/evidence/raw.c %D%/evidence/vhd.c \
	%D%/formats/compound.c %D%/formats/compound.h \
	%D%/formats/bits_queue.c %D%/formats/bits_queue.h \
	%D%/formats/columns.c %D%/formats/columns.h \
	%D%/formats/csv.c %D%/formats/csv.h \
	%D%/formats/ese_header.c %D%/formats/ese_header.h \
	%D%/formats/defender.h %D%/formats/defender_history.c %D%/formats/defender_quarantine.c \
	%D%/formats/evtx.c %D%/formats/evtx.h %D%/formats/evtx_decode.c \
	%D%/formats/evtx_program.c %D%/formats/evtx_program.h \
	%D%/formats/evtx_text.c %D%/formats/evtx_text.h \
	%D%/formats/hive.c %D%/formats/hive.h %D%/formats/hive_names.c \
	%D%/formats/json_reader.c %D%/formats/json_reader.h \
	%D%/formats/hive_log.c %D%/formats/hive_log.h \
	%D%/formats/hive_recover.c %D%/formats/hive_recover.h \
	%D%/formats/iis_text.c %D%/formats/iis_text.h \
	%D%/formats/line_scan.c %D%/formats/line_scan.h \
	%D%/formats/job_file.c %D%/formats/job_file.h \
	%D%/formats/index_record.c %D%/formats/index_record.h \
	%D%/formats/lines.c %D%/formats/lines.h \
	%D%/formats/log_time.c %D%/formats/log_time.h \
	%D%/formats/pe.c %D%/formats/pe.h %D%/formats/pe_version.c \
	%D%/formats/pe_ordinals.c %D%/formats/pe_ordinals.def %D%/formats/pe_signature.c %D%/formats/pe_tables.c %D%/formats/pe_tables.h \
	%D%/formats/lzxpress.c %D%/formats/lzxpress.h \
	%D%/formats/pe.c %D%/formats/pe.h \
	%D%/formats/page_characters.c %D%/formats/page_encoding.c \
	%D%/formats/page_flow.c %D%/formats/page_flow.h %D%/formats/page_flow_parts.h \
	%D%/formats/page_functions.c %D%/formats/page_held.c %D%/formats/page_holders.c \
	%D%/formats/page_literals.c %D%/formats/page_parts.h %D%/formats/page_server.c \
	%D%/formats/page_words.c %D%/formats/page_words.h \
	%D%/formats/page_text.c %D%/formats/page_text.h \
	%D%/formats/prefetch.c %D%/formats/prefetch.h \
	%D%/formats/shell_link.c %D%/formats/shell_link.h \
	%D%/formats/usn.c %D%/formats/usn.h \
	%D%/formats/w3c_log.c %D%/formats/w3c_log.h \
	%D%/formats/xml.c %D%/formats/xml.h \
	%D%/engine/exchange_builds.c %D%/engine/exchange_builds.h \
	%D%/engine/survey.c %D%/engine/survey.h %D%/engine/survey_parts.h \
	%D%/engine/survey_drives.c %D%/engine/survey_exchange.c %D%/engine/survey_iis.c \
	%D%/engine/survey_places.c %D%/engine/survey_windows.c %D%/engine/survey_zone.c \
	%D%/match/ascii.h \
	%D%/match/content.c %D%/match/content.h \
	%D%/match/content_compile.c %D%/match/content_compile.h %D%/match/content_text.c %D%/match/content_text.h \
	%D%/match/content_cache.c %D%/match/content_cache.h \
	%D%/match/content_condition.c %D%/match/content_condition.h \
	%D%/match/content_gate.c %D%/match/content_gate.h \
	%D%/match/content_literals.c %D%/match/content_literals.h \
	%D%/match/content_tokens.c %D%/match/content_tokens.h \
	%D%/match/escape_filter.c %D%/match/escape_filter.h \
	%D%/match/gram_filter.c %D%/match/gram_filter.h \
	%D%/match/gram_groups.c %D%/match/gram_groups.h \
	%D%/match/log_model.c %D%/match/log_model.h \
	%D%/match/percent.c %D%/match/percent.h \
	%D%/match/prefilter.c %D%/match/prefilter.h \
	%D%/match/regex_demand.c %D%/match/regex_demand.h \
	%D%/match/regex_literals.c %D%/match/regex_literals.h \
	%D%/match/clause.c %D%/match/clause.h \
	%D%/match/condition.c %D%/match/condition.h \
	%D%/match/correlation.c %D%/match/correlation.h \
	%D%/match/correlation_window.c %D%/match/correlation_window.h \
	%D%/match/ranked.c %D%/match/ranked.h \
	%D%/match/expression.c %D%/match/expression.h \
	%D%/match/indicator_json.c \
	%D%/match/indicator_list.c \
	%D%/match/indicator_logic.c \
	%D%/match/indicator_grams.c %D%/match/indicator_grams.h \
	%D%/match/indicator_demands.c %D%/match/indicator_demands.h \
	%D%/match/indicator_match.c %D%/match/indicator_match.h \
	%D%/match/indicator_openioc.c \
	%D%/match/indicator_reader.h \
	%D%/match/indicator_rules.c %D%/match/indicator_rules.h \
	%D%/match/indicator_scan.c %D%/match/indicator_scan.h \
	%D%/match/indicator_stix.c \
	%D%/match/indicator_table.c %D%/match/indicator_table.h \
	%D%/match/indicator_keys.c %D%/match/indicator_keys.h \
	%D%/match/indicator_texts.c %D%/match/indicator_texts.h \
	%D%/match/indicator_words.c \
	%D%/match/items.c %D%/match/items.h \
	%D%/match/item_key.c %D%/match/item_key.h %D%/match/item_text.c %D%/match/item_text.h \
	%D%/match/placeholders.c %D%/match/placeholders.h \
	%D%/match/rule_memory.c %D%/match/rule_memory.h \
	%D%/match/known_good.c %D%/match/known_good.h \
	%D%/match/literals.c %D%/match/literals.h \
	%D%/match/logsources.c %D%/match/logsources.h \
	%D%/match/matcher.c %D%/match/matcher.h \
	%D%/match/network.c %D%/match/network.h \
	%D%/match/nominator.c %D%/match/nominator.h \
	%D%/match/pattern.c %D%/match/pattern.h \
	%D%/match/regex.c %D%/match/regex.h \
	%D%/match/rule_example.c %D%/match/rule_example.h \
	%D%/match/rule_check.c %D%/match/rule_check.h \
	%D%/match/rule_links.c %D%/match/rule_links.h \
	%D%/match/rule_set.c %D%/match/rule_set.h \
	%D%/match/rule_test.c \
	%D%/match/rules.c %D%/match/rules.h \
	%D%/match/content_rules.c %D%/match/content_rules.h \
	%D%/match/rule_files.c %D%/match/rule_files.h \
	%D%/match/rule_settings.c %D%/match/rule_settings.h \
	%D%/match/sigma_rules.c %D%/match/sigma_rules.h \
	%D%/match/sigma.c %D%/match/sigma.h \
	%D%/match/view.c %D%/match/view.h \
	%D%/match/yaml.c %D%/match/yaml.h

# Case, engine, outputs and commands.
libextriage_a_SOURCES += \
	%D%/case/case.c %D%/case/case.h \
	%D%/case/database.h \
	%D%/case/collect.c %D%/case/correlated.c %D%/case/finish.c %D%/case/foreign.c %D%/case/read.c %D%/case/rewrite.c \
	%D%/case/folder.c %D%/case/folder.h \
	%D%/case/tasks.c %D%/case/tables.c %D%/case/tables.h \
	%D%/case/fleet.c %D%/case/fleet.h \
	%D%/case/hashed_file.c %D%/case/hashed_file.h \
	%D%/case/member.c %D%/case/member.h \
	%D%/case/postgres.c %D%/case/postgres.h \
	%D%/case/custody.c %D%/case/custody.h \
	%D%/case/seal.c %D%/case/seal.h \
	%D%/case/sign.c %D%/case/sign.h \
	%D%/engine/correlate.c %D%/engine/correlate.h \
	%D%/engine/extract_name.c %D%/engine/extract_name.h \
	%D%/engine/helper_programs.c %D%/engine/helper_programs.h \
	%D%/engine/file_type.c %D%/engine/file_type.h \
	%D%/engine/inventory.c %D%/engine/inventory.h \
	%D%/engine/line_hits.c %D%/engine/line_hits.h \
	%D%/engine/log_pieces.c %D%/engine/log_pieces.h \
	%D%/engine/mailbox_store.c %D%/engine/mailbox_store.h \
	%D%/engine/message.c %D%/engine/message.h \
	%D%/engine/plan.c %D%/engine/plan.h \
	%D%/engine/pool.c %D%/engine/pool.h %D%/engine/pool_parts.h \
	%D%/engine/pool_files.c %D%/engine/pool_worker.c \
	%D%/engine/session.c %D%/engine/session.h %D%/engine/session_parts.h \
	%D%/engine/session_context.c %D%/engine/session_copy.c %D%/engine/session_damage.c %D%/engine/session_early.c \
	%D%/engine/session_limits.c \
	%D%/engine/session_parse.c %D%/engine/session_rows.c %D%/engine/session_survey.c \
	%D%/engine/session_tasks.c \
	%D%/engine/session_verify.c \
	%D%/engine/time_windows.c %D%/engine/time_windows.h \
	%D%/engine/worker.c %D%/engine/worker.h %D%/engine/worker_parts.h \
	%D%/engine/worker_content.c %D%/engine/worker_copy.c %D%/engine/worker_early.c %D%/engine/worker_events.c %D%/engine/worker_known.c \
	%D%/engine/worker_listing.c %D%/engine/worker_parse.c %D%/engine/worker_scan.c %D%/engine/worker_results.c \
	%D%/engine/worker_services.c %D%/engine/worker_survey.c

# The verdict.
libextriage_a_SOURCES += \
	%D%/findings/build_history.c %D%/findings/build_history.h \
	%D%/findings/checks.c %D%/findings/checks.h \
	%D%/findings/destroyed.c \
	%D%/findings/exposure.c %D%/findings/exposure.h \
	%D%/findings/findings.c %D%/findings/findings.h \
	%D%/findings/findings_json.c %D%/findings/findings_json.h \
	%D%/findings/findings_json_hybrid.c %D%/findings/findings_json_losses.c %D%/findings/findings_json_server.c \
	%D%/findings/front_ends.c %D%/findings/front_ends.h \
	%D%/findings/incident_parts.c %D%/findings/incident_parts.h \
	%D%/findings/incident_things.c %D%/findings/incident_things.h \
	%D%/findings/incidents.c %D%/findings/incidents.h \
	%D%/findings/joining.c %D%/findings/joining.h \
	%D%/findings/judgement.c %D%/findings/judgement.h \
	%D%/findings/known_networks.c %D%/findings/known_networks.h \
	%D%/findings/leads.c \
	%D%/findings/log_span.c %D%/findings/log_span.h \
	%D%/findings/mitigations.c %D%/findings/mitigations.h \
	%D%/findings/outcome.c %D%/findings/outcome.h \
	%D%/findings/protection.c %D%/findings/protection.h \
	%D%/findings/retention.c %D%/findings/retention.h \
	%D%/findings/sightings.c %D%/findings/sightings.h \
	%D%/findings/taken.c \
	%D%/findings/timing.c %D%/findings/timing.h \
	%D%/findings/verdict.c \
	%D%/findings/moved.c %D%/findings/moved.h \
	%D%/findings/web_paths.c %D%/findings/web_paths.h

# One file per output, in the order in which they are written; make writes the registry from this list.
WRITERS = \
	%D%/report/timeline_jsonl.c \
	%D%/report/timeline_csv.c \
	%D%/report/undated_jsonl.c \
	%D%/report/findings_json.c \
	%D%/report/context_jsonl.c \
	%D%/report/coverage_json.c \
	%D%/report/host_json.c \
	%D%/report/files_csv.c \
	%D%/report/html.c \
	%D%/report/html_print.c \
	%D%/report/bodyfile.c \
	%D%/report/tln.c \
	%D%/report/l2tcsv.c \
	%D%/report/plaso_csv.c \
	%D%/report/ecs_jsonl.c \
	%D%/report/stix.c \
	%D%/report/case_uco.c \
	%D%/report/dfxml.c \
	%D%/report/misp.c \
	%D%/report/markdown.c
libextriage_a_SOURCES += $(WRITERS) \
	%D%/report/coverage_sums.c %D%/report/coverage_sums.h \
	%D%/report/document.c %D%/report/document.h \
	%D%/report/html_coverage.c %D%/report/html_data.c %D%/report/html_evidence.c \
	%D%/report/html_exposure.c %D%/report/html_incidents.c %D%/report/html_mitigations.c %D%/report/html_moved.c %D%/report/html_taken.c %D%/report/html_verdict.c \
	%D%/report/html_files.c %D%/report/html_files.h \
	%D%/report/html_frame.c %D%/report/html_frame.h \
	%D%/report/html_pack.c %D%/report/html_pack.h \
	%D%/report/html_page.c %D%/report/html_page.h \
	%D%/report/html_rows.c %D%/report/html_rows.h \
	%D%/report/jsonl.c %D%/report/jsonl.h \
	%D%/report/pseudonyms.c %D%/report/pseudonyms.h %D%/report/pseudonym_parts.h \
	%D%/report/pseudonym_forms.c %D%/report/pseudonym_learn.c \
	%D%/report/pseudonym_replace.c \
	%D%/report/redaction.c %D%/report/redaction.h \
	%D%/report/fleet_html.c %D%/report/fleet_html.h \
	%D%/report/fleet_report.c %D%/report/fleet_report.h \
	%D%/report/sharing.c %D%/report/sharing.h %D%/report/techniques.c \
	%D%/report/lines.c %D%/report/lines.h \
	%D%/report/outputs.c %D%/report/outputs.h \
	%D%/report/timeline.c %D%/report/timeline.h \
	%D%/report/writer.c %D%/report/writer.h
BUILT_SOURCES += %D%/report/registry.inc
CLEANFILES += %D%/report/registry.inc

%D%/report/registry.inc: $(top_srcdir)/%D%/local.mk
	$(AM_V_GEN)$(MKDIR_P) %D%/report && for file in $(WRITERS); do echo "$$file"; done | \
	sed 's|.*/\(.*\)\.c$$|WRITER(\1)|' >$@.tmp && mv $@.tmp $@

# Style sheet and script of report.html, as bytes.
REPORT_CSS = %D%/report/html/report.css
REPORT_JS = %D%/report/html/unpack.js %D%/report/html/show.js %D%/report/html/table.js %D%/report/html/chart.js \
	%D%/report/html/main.js
EXTRA_DIST += $(REPORT_CSS) $(REPORT_JS)
BUILT_SOURCES += %D%/report/html/report_css.inc %D%/report/html/report_js.inc
CLEANFILES += %D%/report/html/report_css.inc %D%/report/html/report_js.inc
AS_BYTES = LC_ALL=C od -An -v -tx1 | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
%D%/report/html/report_css.inc: $(REPORT_CSS)
	$(AM_V_GEN)$(MKDIR_P) %D%/report/html && (cd $(top_srcdir) && cat $(REPORT_CSS)) | $(AS_BYTES) >$@.tmp && mv $@.tmp $@
%D%/report/html/report_js.inc: $(REPORT_JS)
	$(AM_V_GEN)$(MKDIR_P) %D%/report/html && (cd $(top_srcdir) && cat $(REPORT_JS)) | $(AS_BYTES) >$@.tmp && mv $@.tmp $@
%D%/report/libextriage_a-html_frame.$(OBJEXT): %D%/report/html/report_css.inc %D%/report/html/report_js.inc

# The log sources that are built in: the lines of the data file as texts.
BUILT_SOURCES += %D%/match/logsources.inc
CLEANFILES += %D%/match/logsources.inc
%D%/match/logsources.inc: $(top_srcdir)/rules/logsources.yml
	$(AM_V_GEN)$(MKDIR_P) %D%/match && \
	sed 's|\\|\\\\|g; s|"|\\"|g; s|^|"|; s|$$|",|' $(top_srcdir)/rules/logsources.yml >$@.tmp && mv $@.tmp $@
%D%/match/libextriage_a-logsources.$(OBJEXT): %D%/match/logsources.inc

# What a finished case holds beside its rows: the lines of the SQL file as texts.
BUILT_SOURCES += %D%/case/schema.inc %D%/case/postgres.inc
CLEANFILES += %D%/case/schema.inc %D%/case/postgres.inc
EXTRA_DIST += %D%/case/schema.sql %D%/case/postgres.sql %D%/case/README.md
%D%/case/schema.inc: $(top_srcdir)/%D%/case/schema.sql
	$(AM_V_GEN)$(MKDIR_P) %D%/case && $(AS_TEXTS) $(top_srcdir)/%D%/case/schema.sql >$@.tmp && mv $@.tmp $@
%D%/case/postgres.inc: $(top_srcdir)/%D%/case/postgres.sql
	$(AM_V_GEN)$(MKDIR_P) %D%/case && $(AS_TEXTS) $(top_srcdir)/%D%/case/postgres.sql >$@.tmp && mv $@.tmp $@
AS_TEXTS = sed 's|\\|\\\\|g; s|"|\\"|g; s|^|"|; s|$$|",|'
%D%/case/libextriage_a-postgres.$(OBJEXT): %D%/case/postgres.inc
%D%/case/libextriage_a-finish.$(OBJEXT): %D%/case/schema.inc

if HAVE_POSTGRES
libextriage_a_SOURCES += %D%/case/postgres_copy.c %D%/case/postgres_copy.h
endif

bin_PROGRAMS += extriage
extriage_SOURCES = %D%/main.c %D%/options.c %D%/options.h \
	%D%/commands/command.h \
	%D%/commands/baseline.c %D%/commands/baseline.h \
	%D%/commands/common.c %D%/commands/common.h \
	%D%/commands/documents.c %D%/commands/documents.h \
	%D%/commands/stage_times.c %D%/commands/stage_times.h \
	%D%/commands/interruption.c %D%/commands/run_identity.c %D%/commands/run_identity.h \
	%D%/commands/extract.c %D%/commands/info.c %D%/commands/merge.c %D%/commands/report.c %D%/commands/rules.c \
	%D%/commands/rule_folder.c %D%/commands/rule_folder.h \
	%D%/commands/run.c %D%/commands/summary.c \
	%D%/commands/verdict_text.c %D%/commands/verdict_text.h
extriage_LDADD = libextriage.a $(EXTRIAGE_LIBS)
# libewf and libvmdk call these two of zlib's functions; ours stand in front of them (triage/evidence/inflate.c).
extriage_LDFLAGS = -Wl,--export-dynamic-symbol=uncompress,--export-dynamic-symbol=adler32

libextriage_a_CPPFLAGS = $(AM_CPPFLAGS) $(TSK_CFLAGS) $(EWF_CFLAGS) $(PCRE2_CFLAGS) $(XML_CFLAGS) \
	$(CRYPTO_CFLAGS) $(YAML_CFLAGS) $(SQLITE_CFLAGS) $(POSTGRES_CFLAGS) $(YARA_CFLAGS) $(SECCOMP_CFLAGS) $(DEFLATE_CFLAGS)
EXTRIAGE_LIBS = $(TSK_LIBS) $(EWF_LIBS) $(PCRE2_LIBS) $(XML_LIBS) $(CRYPTO_LIBS) $(YAML_LIBS) \
	$(SQLITE_LIBS) $(POSTGRES_LIBS) $(YARA_LIBS) $(SECCOMP_LIBS) $(DEFLATE_LIBS) $(ZLIB_LIBS) -lpthread -lm

# Helper programs: one outside library each, in a process of its own (helpers/README.md).
EXTRA_DIST += %D%/helpers/bfio.c %D%/helpers/bfio.h
if HAVE_BDE
pkglibexec_PROGRAMS += helpers/bitlocker
helpers_bitlocker_SOURCES = %D%/helpers/bitlocker.c %D%/helpers/bfio.c %D%/helpers/bfio.h
helpers_bitlocker_CPPFLAGS = $(AM_CPPFLAGS) $(BDE_CFLAGS)
helpers_bitlocker_LDADD = libextriage.a $(BDE_LIBS) $(SECCOMP_LIBS)
endif
if HAVE_VSHADOW
pkglibexec_PROGRAMS += helpers/shadow_copy
helpers_shadow_copy_SOURCES = %D%/helpers/shadow_copy.c %D%/helpers/bfio.c %D%/helpers/bfio.h
helpers_shadow_copy_CPPFLAGS = $(AM_CPPFLAGS) $(VSHADOW_CFLAGS)
helpers_shadow_copy_LDADD = libextriage.a $(VSHADOW_LIBS) $(SECCOMP_LIBS)
endif
if HAVE_ESEDB
pkglibexec_PROGRAMS += helpers/ese
helpers_ese_SOURCES = %D%/helpers/ese.c %D%/helpers/ese_pages.c %D%/helpers/ese_pages.h \
	%D%/helpers/bfio.c %D%/helpers/bfio.h
helpers_ese_CPPFLAGS = $(AM_CPPFLAGS) $(ESEDB_CFLAGS)
helpers_ese_LDADD = libextriage.a $(ESEDB_LIBS) $(SECCOMP_LIBS)
endif
if HAVE_EVT
pkglibexec_PROGRAMS += helpers/evt
helpers_evt_SOURCES = %D%/helpers/evt.c %D%/helpers/bfio.c %D%/helpers/bfio.h
helpers_evt_CPPFLAGS = $(AM_CPPFLAGS) $(EVT_CFLAGS)
helpers_evt_LDADD = libextriage.a $(EVT_LIBS) $(SECCOMP_LIBS)
endif

# Manual pages and completions are made of the tables of options, commands and outputs.
MANUAL_TABLES = %D%/manual/options.man %D%/options.c %D%/commands/run.c %D%/commands/info.c %D%/commands/extract.c \
	%D%/commands/report.c %D%/commands/merge.c %D%/commands/rules.c $(WRITERS)
man_MANS = %D%/manual/extriage.1 %D%/manual/extriage-run.1 %D%/manual/extriage-info.1 %D%/manual/extriage-verify.1 \
	%D%/manual/extriage-extract.1 %D%/manual/extriage-report.1 %D%/manual/extriage-merge.1 %D%/manual/extriage-rules.1
COMPLETIONS = %D%/manual/extriage.bash %D%/manual/extriage.zsh %D%/manual/extriage.fish
EXTRA_DIST += %D%/manual/manual.awk %D%/manual/options.man $(man_MANS:=.in) $(COMPLETIONS:=.in)
CLEANFILES += $(man_MANS) $(COMPLETIONS)
all-local: $(man_MANS) $(COMPLETIONS)
$(man_MANS) $(COMPLETIONS): %: %.in %D%/manual/manual.awk $(MANUAL_TABLES)
	$(AM_V_GEN)$(MKDIR_P) %D%/manual && page=$$(basename $@ .1) && target=$(abs_builddir)/$@ && cd $(srcdir) && \
	LC_ALL=C $(AWK) -f %D%/manual/manual.awk -v command=$${page#extriage-} -v version=$(VERSION) $(MANUAL_TABLES) $@.in \
	  >$$target.tmp && mv $$target.tmp $$target

bashcompletiondir = $(datadir)/bash-completion/completions
zshcompletiondir = $(datadir)/zsh/site-functions
fishcompletiondir = $(datadir)/fish/vendor_completions.d
EXTRA_DIST += %D%/README.md %D%/helpers/README.md %D%/findings/README.md %D%/match/README.md

# Many servers: scripts around the program.
fleetdir = $(pkgdatadir)/fleet
dist_fleet_SCRIPTS = %D%/fleet/merge_all.sh %D%/fleet/one_image.sh %D%/fleet/parallel.sh %D%/fleet/slurm.sh %D%/fleet/slurm_task.sh
dist_fleet_DATA = %D%/fleet/README.md

# The rules are scanned, not listed: a new rule is one new file.
install-data-local:
	cd $(srcdir)/rules && find . -type f ! -name '*.md' | while read -r file; do \
	  $(MKDIR_P) "$(DESTDIR)$(pkgdatadir)/rules/$${file%/*}" && \
	  $(INSTALL_DATA) "$$file" "$(DESTDIR)$(pkgdatadir)/rules/$$file" || exit 1; \
	done
	$(MKDIR_P) "$(DESTDIR)$(bashcompletiondir)" "$(DESTDIR)$(zshcompletiondir)" "$(DESTDIR)$(fishcompletiondir)"
	$(INSTALL_DATA) %D%/manual/extriage.bash "$(DESTDIR)$(bashcompletiondir)/extriage"
	$(INSTALL_DATA) %D%/manual/extriage.zsh "$(DESTDIR)$(zshcompletiondir)/_extriage"
	$(INSTALL_DATA) %D%/manual/extriage.fish "$(DESTDIR)$(fishcompletiondir)/extriage.fish"

uninstall-local:
	rm -rf "$(DESTDIR)$(pkgdatadir)/rules"
	rm -f "$(DESTDIR)$(bashcompletiondir)/extriage" "$(DESTDIR)$(zshcompletiondir)/_extriage" \
	  "$(DESTDIR)$(fishcompletiondir)/extriage.fish"
