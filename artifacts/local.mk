# One file per artifact; make writes the registry from this list.
ARTIFACTS = \
	%D%/any_file.c \
	%D%/aspnet_compiled.c \
	%D%/crash_report.c \
	%D%/defender_detection.c \
	%D%/defender_log.c \
	%D%/deleted_file.c \
	%D%/eomt.c \
	%D%/bits_jobs.c \
	%D%/eventlog.c \
	%D%/eventlog_classic.c \
	%D%/eventlog_export.c \
	%D%/exchange_agent_log.c \
	%D%/exchange_audit.c \
	%D%/exchange_backend.c \
	%D%/exchange_ecp_activity.c \
	%D%/exchange_ecp_server.c \
	%D%/exchange_ews.c \
	%D%/exchange_httpproxy.c \
	%D%/exchange_mail_access.c \
	%D%/exchange_message_tracking.c \
	%D%/exchange_mitigation.c \
	%D%/exchange_oab.c \
	%D%/exchange_request_filter.c \
	%D%/exchange_rps_cmdlet.c \
	%D%/exchange_rps_http.c \
	%D%/exchange_setup.c \
	%D%/exchange_smtp.c \
	%D%/exchange_update_script.c \
	%D%/httperr.c \
	%D%/i30_slack.c \
	%D%/iis_config.c \
	%D%/iis_config_history.c \
	%D%/iis_log.c \
	%D%/mft_slack.c \
	%D%/jump_list.c \
	%D%/loose_file.c \
	%D%/mft_times.c \
	%D%/msi_log.c \
	%D%/powershell_history.c \
	%D%/powershell_transcript.c \
	%D%/pe_file.c \
	%D%/prefetch.c \
	%D%/rdp_cache.c \
	%D%/recycle_bin.c \
	%D%/registry_hive.c \
	%D%/safety_scanner.c \
	%D%/scheduled_task.c \
	%D%/shell_link.c \
	%D%/srum.c \
	%D%/transport_agent.c \
	%D%/um_queue.c \
	%D%/usn_carve.c \
	%D%/usn_journal.c \
	%D%/usn_max.c \
	%D%/web_config.c \
	%D%/web_root.c \
	%D%/windows_hosts.c \
	%D%/wmi_repository.c
libextriage_a_SOURCES += $(ARTIFACTS) \
	%D%/artifact.c %D%/artifact.h \
	%D%/registry_accounts.c %D%/registry_event.c %D%/registry_hive.h %D%/registry_lines.c %D%/registry_lines.h %D%/registry_programs.c %D%/registry_settings.c \
	%D%/registry_values.c \
	%D%/eventlog_event.c %D%/eventlog_event.h %D%/eventlog_script.c %D%/eventlog_script.h \
	%D%/eventlog_sources.c \
	%D%/entry.c %D%/entry.h \
	%D%/exchange_ecp.c %D%/exchange_ecp.h \
	%D%/exchange_log.c %D%/exchange_log.h \
	%D%/file_listing.c %D%/file_listing.h \
	%D%/helper_table.c %D%/helper_table.h \
	%D%/iis_settings.c %D%/iis_settings.h \
	%D%/local_log.c %D%/local_log.h \
	%D%/link_event.c %D%/link_event.h \
	%D%/log_file.c %D%/log_columns.c %D%/log_times.c %D%/log_parts.h %D%/log_file.h \
	%D%/log_names.c %D%/log_names.h \
	%D%/log_volume.c %D%/log_volume.h \
	%D%/mft_births.c %D%/mft_births.h %D%/mft_lines.c %D%/mft_lines.h \
	%D%/mft_reasons.c %D%/mft_reasons.h %D%/web_folders.c %D%/web_folders.h \
	%D%/mft_scripts.c %D%/mft_scripts.h \
	%D%/log_head.c %D%/log_head.h \
	%D%/powershell_text.c %D%/powershell_text.h \
	%D%/setup_words.c %D%/setup_words.h \
	%D%/text_file.c %D%/text_file.h \
	%D%/slack_entry.c %D%/slack_entry.h \
	%D%/usn_events.c %D%/usn_events.h \
	%D%/pe_program.c %D%/pe_program.h \
	%D%/usn_paths.c %D%/usn_paths.h \
	%D%/xml_file.c %D%/xml_file.h
nodist_libextriage_a_SOURCES = %D%/registry.inc
EXTRA_DIST += %D%/README.md
BUILT_SOURCES += %D%/registry.inc
CLEANFILES += %D%/registry.inc

%D%/registry.inc: $(top_srcdir)/%D%/local.mk
	$(AM_V_GEN)$(MKDIR_P) %D% && for file in $(ARTIFACTS); do echo "$$file"; done | \
	sed 's|.*/\(.*\)\.c$$|ARTIFACT(\1)|' | LC_ALL=C sort >$@.tmp && mv $@.tmp $@
%D%/libextriage_a-artifact.$(OBJEXT): %D%/registry.inc
