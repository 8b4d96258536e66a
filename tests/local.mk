# Every test speaks TAP, so that each single check is counted.
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_COMPILER = $(SHELL) $(srcdir)/%D%/unit.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
TEST_EXTENSIONS = .sh .py
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	EXTRIAGE='$(abs_top_builddir)/extriage'; export EXTRIAGE; \
	EXTRIAGE_RULES='$(abs_top_srcdir)/rules'; export EXTRIAGE_RULES; \
	EXTRIAGE_DATA="$${EXTRIAGE_DATA:-$(abs_top_srcdir)/../shared/data}"; export EXTRIAGE_DATA; \
	EXTRIAGE_HELPERS='$(abs_top_builddir)/helpers'; export EXTRIAGE_HELPERS; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	CC='$(CC)'; export CC; \
	TEST_CPPFLAGS='-include config.h -I$(abs_top_builddir)'; export TEST_CPPFLAGS; \
	UBSAN_OPTIONS=print_stacktrace=1; export UBSAN_OPTIONS;

# Programs without a source list of their own are made of the one file of their name.
LDADD = libextriage.a $(CMOCKA_LIBS) $(EXTRIAGE_LIBS)

# Those that take longest begin first: none of them is to be waited for alone at the end.
LONG_TESTS = %D%/end_to_end.py %D%/resume.py %D%/run_golden.py %D%/damage.py %D%/fuzz/replay.sh %D%/hostile_bombs.py %D%/check_exports.py
TESTS += $(LONG_TESTS)
EXTRA_DIST += $(LONG_TESTS)
SCRIPT_TESTS = %D%/check_rules.sh
# What is not about the running program's C code: the build with sanitizers leaves it out (tests/all.sh: make check CHECK_ONCE=).
CHECK_ONCE = %D%/fleet_slurm.sh %D%/fleet_parallel.sh %D%/check_consumers.py %D%/check_rule_folder.sh %D%/layers.sh %D%/headers.sh %D%/check_install.sh %D%/check_manual.py %D%/check_sbom.py %D%/report_browser.py
TESTS += $(SCRIPT_TESTS) $(CHECK_ONCE)
EXTRA_DIST += $(SCRIPT_TESTS) $(CHECK_ONCE) %D%/package.sh %D%/reproducible.sh %D%/README.md %D%/all.sh %D%/unit.sh %D%/unit/fake_job.h %D%/unit/findings_scene.h
EXTRA_DIST += %D%/unit/artifact_case.h %D%/unit/usn_case.h
EXTRA_DIST += %D%/program.py %D%/end_to_end_damage.py
EXTRA_DIST += %D%/tap.py %D%/tap.sh %D%/findings_tables.py %D%/honest_pages

# One line per test; a test with helpers of its own lists its sources below.
UNIT_TESTS = \
	%D%/unit/test_artifacts \
	%D%/unit/test_base \
	%D%/unit/test_bits_queue \
	%D%/unit/test_channel \
	%D%/unit/test_checks \
	%D%/unit/test_compound \
	%D%/unit/test_condition \
	%D%/unit/test_config_artifacts \
	%D%/unit/test_content \
	%D%/unit/test_content_cache \
	%D%/unit/test_content_text \
	%D%/unit/test_line_hits \
	%D%/unit/test_log_artifacts \
	%D%/unit/test_log_pieces \
	%D%/unit/test_correlation \
	%D%/unit/test_content_gate \
	%D%/unit/test_content_gate_share \
	%D%/unit/test_csv \
	%D%/unit/test_custody \
	%D%/unit/test_engine \
	%D%/unit/test_eventlog \
	%D%/unit/test_eventlog_export \
	%D%/unit/test_ese_pages \
	%D%/unit/test_evidence \
	%D%/unit/test_evtx \
	%D%/unit/test_ewf \
	%D%/unit/test_ewf_damage \
	%D%/unit/test_ewf_metadata \
	%D%/unit/test_findings \
	%D%/unit/test_fleet \
	%D%/unit/test_folder \
	%D%/unit/test_hash \
	%D%/unit/test_helper_tables \
	%D%/unit/test_hive \
	%D%/unit/test_hive_log \
	%D%/unit/test_hive_recover \
	%D%/unit/test_host \
	%D%/unit/test_html \
	%D%/unit/test_incidents \
	%D%/unit/test_iis_config \
	%D%/unit/test_lines \
	%D%/unit/test_page_text \
	%D%/unit/test_log_volume \
	%D%/unit/test_lzxpress \
	%D%/unit/test_indicator_grams \
	%D%/unit/test_indicators \
	%D%/unit/test_known_good \
	%D%/unit/test_matcher \
	%D%/unit/test_mft \
	%D%/unit/test_mft_times \
	%D%/unit/test_mitigations \
	%D%/unit/test_moved \
	%D%/unit/test_nominator \
	%D%/unit/test_ntfs_owner \
	%D%/unit/test_pattern \
	%D%/unit/test_pe \
	%D%/unit/test_pe_tables \
	%D%/unit/test_pool \
	%D%/unit/test_prefilter \
	%D%/unit/test_pseudonyms \
	%D%/unit/test_raw \
	%D%/unit/test_regex \
	%D%/unit/test_regex_literals \
	%D%/unit/test_registry \
	%D%/unit/test_retention \
	%D%/unit/test_rules \
	%D%/unit/test_samples_volumes \
	%D%/unit/test_sandbox \
	%D%/unit/test_shadow \
	%D%/unit/test_sigma \
	%D%/unit/test_signature \
	%D%/unit/test_source_map \
	%D%/unit/test_survey \
	%D%/unit/test_text_artifacts \
	%D%/unit/test_slack \
	%D%/unit/test_traces \
	%D%/unit/test_usn \
	%D%/unit/test_usn_carve \
	%D%/unit/test_usn_journal \
	%D%/unit/test_vhd \
	%D%/unit/test_virtual_disk \
	%D%/unit/test_volumes \
	%D%/unit/test_w3c_log \
	%D%/unit/test_wire \
	%D%/unit/test_xml \
	%D%/unit/test_yaml \
	%D%/unit/test_zone
if HAVE_CMOCKA
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif
%C%_unit_test_ese_pages_SOURCES = %D%/unit/test_ese_pages.c \
	triage/helpers/ese_pages.c triage/helpers/ese_pages.h
%C%_unit_test_hive_SOURCES = %D%/unit/test_hive.c %D%/unit/hive_builder.c %D%/unit/hive_builder.h
%C%_unit_test_hive_log_SOURCES = %D%/unit/test_hive_log.c %D%/unit/hive_builder.c %D%/unit/hive_builder.h
%C%_unit_test_hive_recover_SOURCES = %D%/unit/test_hive_recover.c %D%/unit/hive_builder.c %D%/unit/hive_builder.h
%C%_unit_test_registry_SOURCES = %D%/unit/test_registry.c %D%/unit/hive_builder.c %D%/unit/hive_builder.h
%C%_unit_test_survey_SOURCES = %D%/unit/test_survey.c \
	%D%/unit/fake_evidence.c %D%/unit/fake_evidence.h \
	%D%/unit/hive_builder.c %D%/unit/hive_builder.h
%C%_unit_test_iis_config_SOURCES = %D%/unit/test_iis_config.c \
	%D%/unit/fake_evidence.c %D%/unit/fake_evidence.h
EVTX_CASE = %D%/unit/evtx_case.h %D%/unit/evtx_writer.c %D%/unit/evtx_writer.h
%C%_unit_test_eventlog_SOURCES = %D%/unit/test_eventlog.c $(EVTX_CASE)
%C%_unit_test_evtx_SOURCES = %D%/unit/test_evtx.c $(EVTX_CASE)
EWF_SET = %D%/unit/ewf_set.c %D%/unit/ewf_set.h %D%/unit/ewf_writer.c %D%/unit/ewf_writer.h
%C%_unit_test_sandbox_SOURCES = %D%/unit/test_sandbox.c %D%/unit/sandbox_attempts.c %D%/unit/sandbox_attempts.h
%C%_unit_test_ewf_SOURCES = %D%/unit/test_ewf.c $(EWF_SET)
%C%_unit_test_ewf_damage_SOURCES = %D%/unit/test_ewf_damage.c $(EWF_SET)
%C%_unit_test_ewf_metadata_SOURCES = %D%/unit/test_ewf_metadata.c $(EWF_SET)

%C%_unit_test_known_good_SOURCES = %D%/unit/test_known_good.c
%C%_unit_test_indicators_SOURCES = %D%/unit/test_indicators.c %D%/unit/rule_fixture.c %D%/unit/rule_fixture.h
%C%_unit_test_matcher_SOURCES = %D%/unit/test_matcher.c %D%/unit/rule_fixture.c %D%/unit/rule_fixture.h
%C%_unit_test_rules_SOURCES = %D%/unit/test_rules.c %D%/unit/rule_fixture.c %D%/unit/rule_fixture.h
%C%_unit_test_correlation_SOURCES = %D%/unit/test_correlation.c %D%/unit/rule_fixture.c %D%/unit/rule_fixture.h
%C%_unit_test_sigma_SOURCES = %D%/unit/test_sigma.c %D%/unit/rule_fixture.c %D%/unit/rule_fixture.h

# Whole program: evidence is built by fixtures/, which needs libntfs-3g and Python.
PY_LOG_DRIVER = $(LOG_DRIVER)
PY_LOG_COMPILER = python3 -B
PROGRAM_TESTS = %D%/scenarios.py %D%/eventlog_samples.py %D%/check_hives.py %D%/check_samples.py %D%/check_shadow.py %D%/sigma_engine.py %D%/check_traces.py
PROGRAM_TESTS += %D%/check_bitlocker.py
PROGRAM_TESTS += %D%/check_content.py %D%/check_known_good.py
PROGRAM_TESTS += %D%/check_proxylogon.py
TESTS += $(PROGRAM_TESTS)
EXTRA_DIST += $(PROGRAM_TESTS) %D%/golden %D%/scenarios
EXTRA_DIST += %D%/report_browser.mjs

# Everything that reads hostile bytes, by name: replay is part of make check (fuzz/replay.sh), the fuzzer needs clang.
FUZZ_SOURCES = %D%/fuzz/target.c %D%/fuzz/target.h %D%/fuzz/artifact.c %D%/fuzz/wire.c %D%/fuzz/rule_text.c \
	%D%/fuzz/structured.c %D%/fuzz/image.c %D%/fuzz/redaction.c %D%/fuzz/indicators.c %D%/fuzz/small.c
check_PROGRAMS += %D%/fuzz/replay
%C%_fuzz_replay_SOURCES = $(FUZZ_SOURCES) %D%/fuzz/mutate.c %D%/fuzz/mutate.h %D%/fuzz/replay.c \
	%D%/fuzz/built_seeds.c %D%/unit/evtx_writer.c %D%/unit/evtx_writer.h
EXTRA_PROGRAMS += %D%/fuzz/fuzzer
%C%_fuzz_fuzzer_SOURCES = $(FUZZ_SOURCES) %D%/fuzz/libfuzzer.c
%C%_fuzz_fuzzer_LDFLAGS = -fsanitize=fuzzer
EXTRA_DIST += %D%/fuzz/seeds %D%/fuzz/make_seeds.py %D%/fuzz/fuzz.sh

# make fuzz [FUZZ='iis_log wire'] [FUZZ_SECONDS=60]: in a build folder of its own, ./fuzz.
FUZZ =
FUZZ_SECONDS = 60
FUZZ_CFLAGS = -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
fuzz:
	$(MKDIR_P) fuzz && cd fuzz && \
	{ test -f Makefile || '$(abs_top_srcdir)/configure' -q CC=clang CFLAGS='$(FUZZ_CFLAGS)'; } && \
	$(MAKE) $(AM_MAKEFLAGS) fuzz-programs && \
	EXTRIAGE_RULES='$(abs_top_srcdir)/rules' $(SHELL) '$(abs_top_srcdir)/%D%/fuzz/fuzz.sh' \
	  ./tests/fuzz/fuzzer ./tests/fuzz/replay $(FUZZ_SECONDS) $(FUZZ)
fuzz-programs: $(BUILT_SOURCES)
	$(MAKE) $(AM_MAKEFLAGS) %D%/fuzz/fuzzer %D%/fuzz/replay
.PHONY: fuzz fuzz-programs

clean-local:
	rm -rf tests/evidence tests/samples-case tests/*-work fuzz

# The figures beside their peers; takes some minutes and 15 GiB. Not part of make check.
BENCH_DIR = $(abs_top_builddir)/tests/bench-evidence
bench: extriage %D%/bench/limits
	python3 -B $(srcdir)/%D%/bench/run.py ./extriage '$(BENCH_DIR)' $(BENCH)
.PHONY: bench
EXTRA_DIST += %D%/bench/run.py %D%/bench/inputs.py %D%/bench/cases.py %D%/bench/measure.py %D%/bench/stages.py %D%/bench/growth.py %D%/bench/plot.py
# What the machine can do at most, for the row "stages".
EXTRA_PROGRAMS += %D%/bench/limits
# The literal prefilter alone: make tests/bench/prefilter_bench, then give it a log and a list of literals.
EXTRA_PROGRAMS += %D%/bench/prefilter_bench

# Hostile evidence, and workers that it has taken over.
HOSTILE_TESTS = %D%/hostile_workers.py %D%/hostile_output.py %D%/hostile_case.py %D%/hostile_memory.py
EXTRA_DIST += %D%/hostile/failing_memory.c %D%/hostile/held_run.c
TESTS += $(HOSTILE_TESTS)
EXTRA_DIST += $(HOSTILE_TESTS)
check_PROGRAMS += %D%/hostile/liar %D%/hostile/old_kernel
%C%_hostile_liar_SOURCES = %D%/hostile/liar.c $(extriage_SOURCES)
%C%_hostile_liar_LDADD = libextriage.a $(EXTRIAGE_LIBS)
%C%_hostile_liar_LDFLAGS = $(extriage_LDFLAGS) -Wl,--wrap=worker_start,--wrap=worker_run
%C%_hostile_old_kernel_LDADD =

# Joined cases in a PostgreSQL server of its own.
TESTS += %D%/check_postgres.py
EXTRA_DIST += %D%/check_postgres.py

# triage/fleet/, with Slurm and sshd of their own.
EXTRA_DIST += %D%/fleet_common.sh

# What shows that the tarball is whole and installs, in a build without optional libraries too; all of it was tested before it was packed.
QUICK_TESTS = $(UNIT_TESTS) %D%/check_rule_folder.sh %D%/check_install.sh %D%/check_manual.py %D%/check_sbom.py \
	%D%/headers.sh %D%/layers.sh %D%/hostile_output.py
distcheck-quick:
	$(MAKE) $(AM_MAKEFLAGS) distcheck TESTS='$(QUICK_TESTS)'
.PHONY: distcheck-quick
