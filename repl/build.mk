# All Scheme of the project: each library as a file for `load` (build/scheme/DIR/NAME.o1), and all of them
# linked into build/comet-vm. Included by the Makefile; needs Gambit (gsc, gsi) and a C compiler.
#
# A library is a body DIR/NAME.scm beside a header DIR/NAME#.scm, in one of the folders below; it is found
# by its header. gsc translates it to C once (build/scheme/c), and the C is compiled twice, for loading and
# for linking. modules.mk says what depends on what.

BUILD ?= build
# Since make 4.3, # needs no backslash within a function, and keeps one that it is given.
HASH := \#
GSC ?= gsc
GSI ?= gsi

SCHEME_FOLDERS := scheme-lib scheme-lib/loaders scheme-lib/loaders/simple-vm scheme-lib/loaders/wasm \
  vm-ext/gambit asm asm/binary asm/library debugger debugger/dap repl
SCHEME_HEADERS := $(filter-out scheme-lib/boot$(HASH).scm,$(foreach folder,$(SCHEME_FOLDERS),$(wildcard $(folder)/*$(HASH).scm)))
SCHEME_C := $(BUILD)/scheme/c

# Gambit's files are compiled as C, with several hosts: the C compiler takes minutes for one big function.
GAMBIT_CFLAGS := -O1 -g0 -w -fwrapv -fno-strict-aliasing -fno-trapping-math -fno-math-errno -fomit-frame-pointer -fPIC \
  -U___SINGLE_HOST -Ivm-ext -Ivm-ext/gambit

GSC_RUN = COMET_ROOT=$(CURDIR) COMET_LOAD=source COMET_PATH= $(GSC) -:dar1-,f8

ifneq ($(shell command -v $(GSC)),)
# Changes when a library comes or goes. (A folder's own date would do, but `repl` is also a goal.)
SCHEME_LIST := $(BUILD)/scheme/headers
$(shell mkdir -p $(dir $(SCHEME_LIST)); echo '$(SCHEME_HEADERS)' | cmp -s - $(SCHEME_LIST) || echo '$(SCHEME_HEADERS)' >$(SCHEME_LIST))

$(BUILD)/scheme/modules.mk: repl/modules-to-make.scm $(SCHEME_LIST) $(SCHEME_HEADERS) $(patsubst %$(HASH).scm,%.scm,$(SCHEME_HEADERS))
	@mkdir -p $(@D)
	@OUTPUT=$@ HEADERS='$(SCHEME_HEADERS)' $(GSI) -:dar1- $< </dev/null

include $(BUILD)/scheme/modules.mk
endif

SCHEME_LOADABLE := $(patsubst %,$(BUILD)/scheme/%.o1,$(SCHEME_MODULES))
SCHEME_SOURCES_C := $(foreach module,$(SCHEME_MODULES),$(SCHEME_C)/$(subst /,.,$(module)).c)
SCHEME_OBJECTS := $(SCHEME_SOURCES_C:.c=.o)

.PHONY: scheme
scheme: $(SCHEME_LOADABLE) $(BUILD)/comet-vm
	@:

$(SCHEME_C)/scheme-lib.boot.c: scheme-lib/boot.scm
$(BUILD)/scheme/scheme-lib/boot.o1: $(SCHEME_C)/scheme-lib.boot.c
$(filter-out %/scheme-lib.boot.c,$(SCHEME_SOURCES_C)): scheme-lib/boot.scm scheme-lib/boot\#.scm

$(SCHEME_SOURCES_C):
	@mkdir -p $(@D)
	@echo "  gsc    $<"
	@rm -f $@
	@printf '(##include "%s")\n' $(CURDIR)/scheme-lib/boot$(HASH).scm $(CURDIR)/$< >$(@:.c=.scm)
	@SOURCE=$(@:.c=.scm) OUTPUT=$@ $(GSC_RUN) -i repl/compile.scm </dev/null && test -f $@

# Libraries of which each is one function of C: calls within them are jumps, which the speed of conversion lives on.
$(SCHEME_C)/scheme-lib.loaders.wasm.%.o $(SCHEME_C)/scheme-lib.leb128.o: GAMBIT_CFLAGS += -D___SINGLE_HOST

$(SCHEME_OBJECTS): %.o: %.c
	@echo "  cc     $@"
	@$(CC) $(GAMBIT_CFLAGS) -I$(GAMBIT_INCLUDE) -c -o $@ $<

# A loadable file's entry point is named after the file itself.
$(SCHEME_LOADABLE):
	@mkdir -p $(@D)
	@echo "  cc     $@"
	@sed -E 's/^(#define ___LINKER_ID ___LNK_).*_2e_/\1/; s/^(#define ___LINKER_ID .*)/\1_2e_o1/' $< >$@.c
	@$(CC) -shared $(GAMBIT_CFLAGS) -D___DYNAMIC -I$(GAMBIT_INCLUDE) -o $@ $@.c $(SCHEME_LINK) && rm -f $@.c

$(BUILD)/scheme/vm-ext/gambit/vm.o1: SCHEME_LINK = -Wl,--strip-debug $(BUILD)/libcomet-vm.a -lstdc++ -lpthread $(VM_LDFLAGS)
$(BUILD)/scheme/vm-ext/gambit/vm.o1: $(BUILD)/libcomet-vm.a
$(BUILD)/scheme/vm-ext/gambit/vm.o1 $(SCHEME_C)/vm-ext.gambit.vm.o: vm-ext/gambit/binding.h vm-ext/comet.h

$(SCHEME_C)/linked.c: $(SCHEME_SOURCES_C)
	@rm -f $@
	@$(GSC) -:dar1- -link -o $@ $(SCHEME_SOURCES_C) </dev/null; test -f $@

$(SCHEME_C)/linked.o: $(SCHEME_C)/linked.c
	@$(CC) $(GAMBIT_CFLAGS) -D___LIBRARY -I$(GAMBIT_INCLUDE) -c -o $@ $<

$(SCHEME_C)/start.o: repl/start.c
	@mkdir -p $(@D)
	@$(CC) $(GAMBIT_CFLAGS) -DCOMET_LINKER=___LNK_linked -I$(GAMBIT_INCLUDE) -c -o $@ $<

$(BUILD)/comet-vm: $(SCHEME_C)/start.o $(SCHEME_C)/linked.o $(SCHEME_OBJECTS) $(BUILD)/libcomet-vm.a
	@echo "  link   $@"
	@$(CXX) $(VM_LDFLAGS) -rdynamic -o $@ $(SCHEME_C)/start.o $(SCHEME_C)/linked.o $(SCHEME_OBJECTS) $(BUILD)/libcomet-vm.a \
	  $(GAMBIT_LIBRARY) -Wl,--as-needed -lm -ldl -lutil -lpthread

# The lists of mnemonics and directives in the files for editors.
.PHONY: editors
editors: $(BUILD)/scheme/vm-ext/gambit/vm.o1
	@COMET_BUILD=$(BUILD) $(GSI) -:dar1-,f8 -e '(load "scheme-lib/boot.scm")' -e '(load "asm/editors/lists.scm")' \
	  -e '(editor-files-write!)' </dev/null
