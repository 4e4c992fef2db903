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

# find_package(CometVM) in CMake: targets CometVM::shared and CometVM::static, wherever the folder was moved to.
define VM_CMAKE_CONFIG
get_filename_component(_comet_vm_libdir "$${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
set(_comet_vm_include "$(if $(filter $(PREFIX)/%,$(INCLUDEDIR)),$${_comet_vm_libdir}/$(shell realpath -m --relative-to="$(LIBDIR)" "$(INCLUDEDIR)"),$(INCLUDEDIR))")
find_package(Threads REQUIRED)
if(NOT TARGET CometVM::shared)
  add_library(CometVM::shared SHARED IMPORTED)
  set_target_properties(CometVM::shared PROPERTIES IMPORTED_LOCATION "$${_comet_vm_libdir}/$(VM_SHARED)"
    IMPORTED_SONAME libcomet-vm.so.$(VM_ABI) INTERFACE_INCLUDE_DIRECTORIES "$${_comet_vm_include}")
  add_library(CometVM::static STATIC IMPORTED)
  set_target_properties(CometVM::static PROPERTIES IMPORTED_LOCATION "$${_comet_vm_libdir}/libcomet-vm.a"
    IMPORTED_LINK_INTERFACE_LANGUAGES CXX INTERFACE_INCLUDE_DIRECTORIES "$${_comet_vm_include}"
    INTERFACE_LINK_LIBRARIES Threads::Threads)
endif()
set(CometVM_VERSION $(VM_VERSION))
endef
export VM_CMAKE_CONFIG

# Versions before 1.0 stand for themselves: only the same major and minor number will do.
define VM_CMAKE_VERSION
set(PACKAGE_VERSION $(VM_VERSION))
string(REGEX MATCH "^[0-9]+\.[0-9]+" _comet_vm_series "$${PACKAGE_VERSION}")
if(PACKAGE_FIND_VERSION VERSION_LESS_EQUAL PACKAGE_VERSION AND PACKAGE_FIND_VERSION VERSION_GREATER_EQUAL _comet_vm_series)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
  set(PACKAGE_VERSION_EXACT TRUE)
endif()
endef
export VM_CMAKE_VERSION
CMAKEDIR = $(LIBDIR)/cmake/CometVM

# comet-vm needs Gambit to be built; what `make no-scheme` builds installs without it.
VM_WITH_SCHEME = $(wildcard $(BUILD)/comet-vm)

.PHONY: install uninstall
install: lib no-scheme
	$(INSTALL) -d $(addprefix $(DESTDIR),$(BINDIR) $(LIBDIR)/pkgconfig $(CMAKEDIR) $(INCLUDEDIR) $(MANDIR)/man1)
	$(INSTALL) -m 644 vm-ext/comet.h vm-ext/comet.hpp $(DESTDIR)$(INCLUDEDIR)
	$(INSTALL) -m 644 $(BUILD)/libcomet-vm.a $(DESTDIR)$(LIBDIR)/libcomet-vm.a
	$(INSTALL) -m 755 $(BUILD)/libcomet-vm.so $(DESTDIR)$(LIBDIR)/$(VM_SHARED)
	ln -sf $(VM_SHARED) $(DESTDIR)$(LIBDIR)/libcomet-vm.so.$(VM_ABI)
	ln -sf libcomet-vm.so.$(VM_ABI) $(DESTDIR)$(LIBDIR)/libcomet-vm.so
	printf '%s\n' "$$VM_PKG_CONFIG" >$(DESTDIR)$(LIBDIR)/pkgconfig/comet-vm.pc
	printf '%s\n' "$$VM_CMAKE_CONFIG" >$(DESTDIR)$(CMAKEDIR)/CometVMConfig.cmake
	printf '%s\n' "$$VM_CMAKE_VERSION" >$(DESTDIR)$(CMAKEDIR)/CometVMConfigVersion.cmake
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
	rm -f $(addprefix $(DESTDIR)$(CMAKEDIR)/,CometVMConfig.cmake CometVMConfigVersion.cmake)
	rm -f $(addprefix $(DESTDIR)$(INCLUDEDIR)/,comet.h comet.hpp) $(addprefix $(DESTDIR)$(MANDIR)/man1/,comet-vm.1 comet-vm-no-scheme.1)
