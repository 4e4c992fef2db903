# The machine: libcomet-vm.a, libcomet-vm.so and the runner comet-vm-no-scheme. Needs a C++ compiler, make
# and the header of xxhash, nothing else.

# PORTABLE=1: page table only, plain interpreter loop. SANITIZE=address,undefined: checked at run time.
# SANITIZE=thread: for races of the host's threads.
# COVERAGE=1: counts, for gcov, which lines the tests reach. LIBFUZZER=CLANG: sanitized, and watched by libFuzzer.
# HARDENED=1: with the compiler's guards. Each has a folder of its own, so that they do not disturb each other.
PLAIN_BUILD := $(BUILD)
ifdef PORTABLE
BUILD := $(BUILD)/portable
VM_DEFINES += -DCOMET_PORTABLE -DCOMET_REFERENCE_ONLY
endif
ifdef SANITIZE
BUILD := $(BUILD)/$(if $(filter thread,$(SANITIZE)),races,sanitize)
VM_SANITIZE := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
OPTIMIZE ?= -O1
else ifdef LIBFUZZER
BUILD := $(BUILD)/libfuzzer
CXX := $(LIBFUZZER)
VM_SANITIZE := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPTIMIZE ?= -O1
else ifdef COVERAGE
BUILD := $(BUILD)/coverage
# Counted before functions are inlined, so that a branch of the source is one branch.
VM_SANITIZE := --coverage -fno-early-inlining
# Where threads count the same at once, and it costs little.
COUNTED_BY_THREADS := api/% host/% image/% state/% machine/run.o machine/schedule.o machine/parallel.o machine/stay.o
OPTIMIZE ?= -O1
else
VM_TAIL_CALLS := -DCOMET_TAIL_CALLS
# Only g++ can be told, see machine/enter.cpp.
SCRATCH_REGISTERS := $(shell echo __GNUC__ __x86_64__ __clang__ | $(CXX) -E -P -x c++ - 2>/dev/null | grep -x '[0-9]* 1 __clang__')
VM_TAIL_CALLS += $(if $(SCRATCH_REGISTERS),-DCOMET_SCRATCH_REGISTERS)
endif
OPTIMIZE ?= -O2

# What costs neither time nor size every build has: tables that are written once are read-only from then on, and the
# runner lies anywhere. HARDENED=1 adds what does cost. Of CET only the shadow stack: handlers go to one another by
# indirect jumps, so that checking these would cost each instruction.
HARDENED_LINK := -Wl,-z,relro,-z,now,-z,noexecstack
ifdef HARDENED
BUILD := $(BUILD)/hardened
SHADOW_STACK := $(shell $(CXX) -fcf-protection=return -E -x c++ /dev/null >/dev/null 2>&1 && echo -fcf-protection=return)
# The linker is told, since the C library's own first object may lack the mark; nothing in that needs it.
SHADOW_STACK_LINK := -Wl,-z,shstk
HARDENED_LINK += $(if $(SHADOW_STACK),$(SHADOW_STACK_LINK))
VM_HARDENING := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong \
  -fstack-clash-protection $(SHADOW_STACK)
endif

WARNINGS := -Wall -Wextra -Wpedantic
VM_VERSION := $(shell sed -n 's/^\#define COMET_VERSION_STRING "\(.*\)"/\1/p' vm-ext/comet.h)
VM_ABI := 0

# No contraction and no errno: results are those of IEEE 754, whatever the compiler.
VM_CXXFLAGS = -std=c++20 $(OPTIMIZE) -g $(WARNINGS) -fPIC -fvisibility=hidden -ffp-contract=off -fno-math-errno \
  -DCOMET_BUILD $(VM_DEFINES) $(VM_SANITIZE) $(VM_HARDENING) $(CXXFLAGS)
VM_LDFLAGS = $(VM_SANITIZE) $(HARDENED_LINK) $(LDFLAGS)

VM_SOURCES := $(filter-out vm-ext/isa/manual.cpp,$(wildcard $(addprefix vm-ext/,$(addsuffix /*.cpp,isa memory machine api host image state))))
VM_OBJECTS := $(VM_SOURCES:%.cpp=$(BUILD)/obj/%.o)
ifdef COVERAGE
$(filter $(addprefix $(BUILD)/obj/vm-ext/,$(COUNTED_BY_THREADS)),$(VM_OBJECTS)): VM_SANITIZE += -fprofile-update=atomic
endif
RUNNER_SOURCES := $(wildcard vm-ext/runner/*.cpp)
RUNNER_OBJECTS := $(RUNNER_SOURCES:%.cpp=$(BUILD)/obj/%.o)

.PHONY: lib no-scheme
lib: $(BUILD)/libcomet-vm.a $(BUILD)/libcomet-vm.so
	@:
no-scheme: $(BUILD)/comet-vm-no-scheme
	@:

$(BUILD)/obj/%.o: %.cpp $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  c++    $<"
	@$(CXX) $(VM_CXXFLAGS) -MMD -MP -c -o $@ $<

# Handlers end in jumps to each other; marks for indirect branches and stack checks would cost each one. So would where they
# happen to lie: with two short ones in the same 32 bytes, whose jumps the processor told apart less well, SHA-256 took half as
# long again in one program and not in another. No exception passes through them. They need not save registers: see machine/enter.cpp.
HANDLER_FLAGS = $(VM_TAIL_CALLS) -fcf-protection=$(if $(SHADOW_STACK),return,none) -fno-stack-protector -fno-exceptions \
  -fno-asynchronous-unwind-tables \
  $(if $(SCRATCH_REGISTERS),$(addprefix -fcall-used-,rbx r12 r13 r14 r15))
SHORT_HANDLER_FLAGS := -falign-functions=32
LONG_HANDLER_FLAGS := -falign-functions=16
$(BUILD)/obj/vm-ext/machine/fast.o: VM_CXXFLAGS += $(HANDLER_FLAGS) $(SHORT_HANDLER_FLAGS)
$(BUILD)/obj/vm-ext/machine/fused.o: VM_CXXFLAGS += $(HANDLER_FLAGS) $(LONG_HANDLER_FLAGS)
$(BUILD)/obj/vm-ext/machine/enter.o: VM_CXXFLAGS += $(VM_TAIL_CALLS)
# What the parts of sequences touch they touch as single handlers do, too; to watch them in each would take minutes.
ifeq ($(SANITIZE),thread)
$(BUILD)/obj/vm-ext/machine/fused.o: VM_SANITIZE :=
endif

# What a program's instructions do not come by is compiled for size, and is smaller by two fifths. With a frame pointer
# code grows by less than what the unwinding of exceptions needs to know becomes smaller. The shared library takes a
# fourteenth less once more, as g++ sees all of that at once when it links; the archive holds none of what it needs for it.
VM_FAST_PARTS := isa/decode memory/host_pages memory/large_pages machine/code \
  machine/enter machine/fast machine/fused machine/state_hash image/checksum
ifeq ($(OPTIMIZE),-O2)
VM_AT_ONCE := $(if $(SCRATCH_REGISTERS),-flto=auto)
VM_SMALL := -Oz -fno-omit-frame-pointer $(if $(VM_AT_ONCE),$(VM_AT_ONCE) -ffat-lto-objects)
$(filter-out $(VM_FAST_PARTS:%=$(BUILD)/obj/vm-ext/%.o),$(VM_OBJECTS)): VM_CXXFLAGS += $(VM_SMALL)
endif

# Written anew when the compiler or its flags are others than those of the objects that are there.
VM_FLAGS := $(CXX) $(VM_CXXFLAGS) $(HANDLER_FLAGS) $(SHORT_HANDLER_FLAGS) $(LONG_HANDLER_FLAGS) $(VM_SMALL) $(VM_FAST_PARTS)
.PHONY: force
$(BUILD)/flags: force
	@mkdir -p $(@D)
	@echo '$(VM_FLAGS)' | cmp -s - $@ || echo '$(VM_FLAGS)' >$@

$(BUILD)/libcomet-vm.a: $(VM_OBJECTS)
	@echo "  ar     $@"
	@rm -f $@
	@$(AR) rcs $@ $^
	$(if $(VM_AT_ONCE),@objcopy -R '.gnu.lto_*' -R '.gnu.debuglto_*' -N __gnu_lto_v1 $@)

$(BUILD)/libcomet-vm.so: $(VM_OBJECTS) vm-ext/comet.map
	@echo "  link   $@"
	@$(CXX) $(OPTIMIZE) -fPIC $(VM_AT_ONCE) $(VM_LDFLAGS) -shared -Wl,-z,pack-relative-relocs -Wl,-soname,libcomet-vm.so.$(VM_ABI) -Wl,--version-script=vm-ext/comet.map -o $@ $(VM_OBJECTS) -lpthread
	@ln -sf libcomet-vm.so $@.$(VM_ABI)

# The dynamic linker would take longer with the C++ library than the runner takes to run a small program.
$(BUILD)/comet-vm-no-scheme: $(RUNNER_OBJECTS) $(BUILD)/libcomet-vm.a
	@echo "  link   $@"
	@$(CXX) $(VM_LDFLAGS) -pie $(if $(VM_SANITIZE),,-static-libstdc++ -static-libgcc) -o $@ $^ -lpthread

-include $(VM_OBJECTS:.o=.d) $(RUNNER_OBJECTS:.o=.d)

# The instruction list of the manual, below its last line that people write.
.PHONY: manual
manual: $(BUILD)/isa-README.md
	@cp $< vm-ext/isa/README.md

$(BUILD)/isa-manual: $(BUILD)/obj/vm-ext/isa/manual.o $(BUILD)/libcomet-vm.a
	@$(CXX) $(VM_LDFLAGS) -o $@ $^ -lpthread

$(BUILD)/isa-README.md: $(BUILD)/isa-manual vm-ext/isa/README.md
	@sed '/^<!-- generated from/q' vm-ext/isa/README.md >$@ && echo >>$@ && $< >>$@
