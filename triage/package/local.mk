# Packages; see README.md here. Everything made here bears the time of the sources, so that it can be made again byte for byte.
EXTRA_DIST += %D%/README.md %D%/epoch.sh %D%/deb.sh %D%/usb.sh %D%/usb-README.txt %D%/containers.c %D%/sbom.py %D%/libraries.tsv %D%/debian
PACKAGES_DIR = packages
EPOCH = $$($(SHELL) $(srcdir)/%D%/epoch.sh)

# make deb: the Debian package, source and binary. make usb: the tarball for a stick. make sbom: what the program is made of.
deb: dist-packages
	$(SHELL) $(srcdir)/%D%/deb.sh $(VERSION) $(PACKAGES_DIR)/extriage-$(VERSION).tar.xz $(PACKAGES_DIR)
usb:
	$(SHELL) $(srcdir)/%D%/usb.sh $(VERSION) $(srcdir) $(PACKAGES_DIR)
sbom: programs
	$(MKDIR_P) $(PACKAGES_DIR) && python3 -B $(srcdir)/%D%/sbom.py --version $(VERSION) --epoch "$(EPOCH)" --linkage dynamic \
	  --rules $(srcdir)/rules $(patsubst %,--program %,$(bin_PROGRAMS) $(pkglibexec_PROGRAMS)) -o $(PACKAGES_DIR)/extriage-$(VERSION).spdx.json
# The rules alone, for those who have the program already.
rules-dist:
	$(MKDIR_P) $(PACKAGES_DIR) && tar -C $(srcdir) $(TAR_SAME) --exclude='*.md' -cf - rules | xz -T1 >$(PACKAGES_DIR)/extriage-rules-$$(sed -n 1p $(srcdir)/rules/VERSION).tar.xz
# `make dist`, with the same bytes each time.
dist-packages:
	$(MKDIR_P) $(PACKAGES_DIR) && TAR_OPTIONS="$(TAR_SAME)" XZ_OPT='-T1 -6' $(MAKE) $(AM_MAKEFLAGS) dist && mv $(distdir).tar.xz $(PACKAGES_DIR)
TAR_SAME = --sort=name --mtime=@$(EPOCH) --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX
programs: $(BUILT_SOURCES)
	$(MAKE) $(AM_MAKEFLAGS) $(bin_PROGRAMS) $(pkglibexec_PROGRAMS) $(man_MANS) $(COMPLETIONS)
.PHONY: deb usb sbom rules-dist dist-packages programs
