# make install, make uninstall: the library with its header and pkg-config file, the programs that were
# built, and their manual pages. Included by the Makefile behind build.mk.
#
#   PREFIX   where things go for those who use them         /usr/local
#   DESTDIR  put in front of it while installing, for packaging

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
EMACSDIR ?= $(PREFIX)/share/emacs/site-lisp
VIMDIR ?= $(PREFIX)/share/vim/vimfiles
INSTALL ?= install

VM_SHARED := libcomet-vm.so.$(VM_VERSION)

define VM_PKG_CONFIG
prefix=$(PREFIX)
libdir=$(LIBDIR)
includedir=$(INCLUDEDIR)

Name: Comet VM
Description: A machine of registers and pages that can be snapshot, stepped and embedded
Version: $(VM_VERSION)
Libs: -L$${libdir} -lcomet-vm
Libs.private: -lstdc++ -lm -lpthread
Cflags: -I$${includedir}
endef
export VM_PKG_CONFIG

# comet-vm needs Gambit to be built; what `make no-scheme` builds installs without it.
VM_WITH_SCHEME = $(wildcard $(BUILD)/comet-vm)

.PHONY: install uninstall
install: lib no-scheme
	$(INSTALL) -d $(addprefix $(DESTDIR),$(BINDIR) $(LIBDIR)/pkgconfig $(INCLUDEDIR) $(MANDIR)/man1)
	$(INSTALL) -m 644 vm-ext/comet.h $(DESTDIR)$(INCLUDEDIR)/comet.h
	$(INSTALL) -m 644 $(BUILD)/libcomet-vm.a $(DESTDIR)$(LIBDIR)/libcomet-vm.a
	$(INSTALL) -m 755 $(BUILD)/libcomet-vm.so $(DESTDIR)$(LIBDIR)/$(VM_SHARED)
	ln -sf $(VM_SHARED) $(DESTDIR)$(LIBDIR)/libcomet-vm.so.$(VM_ABI)
	ln -sf libcomet-vm.so.$(VM_ABI) $(DESTDIR)$(LIBDIR)/libcomet-vm.so
	printf '%s\n' "$$VM_PKG_CONFIG" >$(DESTDIR)$(LIBDIR)/pkgconfig/comet-vm.pc
	$(INSTALL) -m 755 $(BUILD)/comet-vm-no-scheme $(DESTDIR)$(BINDIR)/comet-vm-no-scheme
	$(INSTALL) -m 644 vm-ext/runner/comet-vm-no-scheme.1 $(DESTDIR)$(MANDIR)/man1/comet-vm-no-scheme.1
	$(INSTALL) -d $(DESTDIR)$(EMACSDIR) $(addprefix $(DESTDIR)$(VIMDIR)/,syntax ftdetect ftplugin)
	$(INSTALL) -m 644 asm/editors/comet-asm-mode.el $(DESTDIR)$(EMACSDIR)/comet-asm-mode.el
	for folder in syntax ftdetect ftplugin; do \
	  $(INSTALL) -m 644 asm/editors/vim/$$folder/cometasm.vim $(DESTDIR)$(VIMDIR)/$$folder/cometasm.vim || exit 1; done
	$(if $(VM_WITH_SCHEME),$(INSTALL) -m 755 $(BUILD)/comet-vm $(DESTDIR)$(BINDIR)/comet-vm)
	$(if $(VM_WITH_SCHEME),$(INSTALL) -m 644 repl/comet-vm.1 $(DESTDIR)$(MANDIR)/man1/comet-vm.1)

uninstall:
	rm -f $(addprefix $(DESTDIR)$(BINDIR)/,comet-vm comet-vm-no-scheme)
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,libcomet-vm.a libcomet-vm.so libcomet-vm.so.$(VM_ABI) $(VM_SHARED) pkgconfig/comet-vm.pc)
	rm -f $(DESTDIR)$(EMACSDIR)/comet-asm-mode.el $(addprefix $(DESTDIR)$(VIMDIR)/,syntax/cometasm.vim ftdetect/cometasm.vim ftplugin/cometasm.vim)
	rm -f $(DESTDIR)$(INCLUDEDIR)/comet.h $(addprefix $(DESTDIR)$(MANDIR)/man1/,comet-vm.1 comet-vm-no-scheme.1)
