# One file per artifact; make writes the registry from this list.
ARTIFACTS = \
	%D%/exchange_ecp_activity.c \
	%D%/exchange_ecp_server.c \
	%D%/exchange_ews.c \
	%D%/exchange_httpproxy.c \
	%D%/exchange_message_tracking.c \
	%D%/exchange_oab.c \
	%D%/exchange_rps_cmdlet.c \
	%D%/exchange_rps_http.c \
	%D%/httperr.c \
	%D%/iis_log.c \
	%D%/web_root.c
libextriage_a_SOURCES += $(ARTIFACTS) \
	%D%/artifact.c %D%/artifact.h \
	%D%/exchange_log.c %D%/exchange_log.h \
	%D%/log_file.c %D%/log_file.h \
	%D%/log_head.c %D%/log_head.h
nodist_libextriage_a_SOURCES = %D%/registry.inc
EXTRA_DIST += %D%/README.md
BUILT_SOURCES += %D%/registry.inc
CLEANFILES += %D%/registry.inc

%D%/registry.inc: $(top_srcdir)/%D%/local.mk
	$(AM_V_GEN)$(MKDIR_P) %D% && for file in $(ARTIFACTS); do echo "$$file"; done | \
	sed 's|.*/\(.*\)\.c$$|ARTIFACT(\1)|' | LC_ALL=C sort >$@.tmp && mv $@.tmp $@
%D%/libextriage_a-artifact.$(OBJEXT): %D%/registry.inc
