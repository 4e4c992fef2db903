# The machine: libcomet-vm.a, libcomet-vm.so and the runner comet-vm-no-scheme. Needs a C++ compiler, make
# and the header of xxhash, nothing else.

# PORTABLE=1: page table only, plain interpreter loop. SANITIZE=address,undefined: checked at run time.
# COVERAGE=1: counts, for gcov, which lines the tests reach. Each has a folder of its own, so that they do not disturb each other.
PLAIN_BUILD := $(BUILD)
ifdef PORTABLE
BUILD := $(BUILD)/portable
VM_DEFINES += -DCOMET_PORTABLE -DCOMET_REFERENCE_ONLY
endif
ifdef SANITIZE
BUILD := $(BUILD)/sanitize
VM_SANITIZE := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
OPTIMIZE ?= -O1
else ifdef COVERAGE
BUILD := $(BUILD)/coverage
VM_SANITIZE := --coverage
OPTIMIZE ?= -O1
else
VM_TAIL_CALLS := -DCOMET_TAIL_CALLS
endif
OPTIMIZE ?= -O2

WARNINGS := -Wall -Wextra -Wpedantic
VM_VERSION := $(shell sed -n 's/^\#define COMET_VERSION_STRING "\(.*\)"/\1/p' vm-ext/comet.h)
VM_ABI := 0

# No contraction and no errno: results are those of IEEE 754, whatever the compiler.
VM_CXXFLAGS = -std=c++20 $(OPTIMIZE) -g $(WARNINGS) -fPIC -fvisibility=hidden -ffp-contract=off -fno-math-errno \
  -DCOMET_BUILD $(VM_DEFINES) $(VM_SANITIZE) $(CXXFLAGS)
VM_LDFLAGS = $(VM_SANITIZE) $(LDFLAGS)

VM_SOURCES := $(filter-out vm-ext/isa/manual.cpp,$(wildcard $(addprefix vm-ext/,$(addsuffix /*.cpp,isa memory machine api host image state))))
VM_OBJECTS := $(VM_SOURCES:%.cpp=$(BUILD)/obj/%.o)
RUNNER_SOURCES := $(wildcard vm-ext/runner/*.cpp)
RUNNER_OBJECTS := $(RUNNER_SOURCES:%.cpp=$(BUILD)/obj/%.o)

.PHONY: lib no-scheme
lib: $(BUILD)/libcomet-vm.a $(BUILD)/libcomet-vm.so
	@:
no-scheme: $(BUILD)/comet-vm-no-scheme
	@:

$(BUILD)/obj/%.o: %.cpp
	@mkdir -p $(@D)
	@echo "  c++    $<"
	@$(CXX) $(VM_CXXFLAGS) -MMD -MP -c -o $@ $<

# Handlers end in jumps to each other; marks for indirect branches and stack checks would cost each one, and so
# would where they happen to lie. No exception passes through them.
HANDLER_FLAGS = $(VM_TAIL_CALLS) -fcf-protection=none -fno-stack-protector -falign-functions=32 -fno-asynchronous-unwind-tables
$(BUILD)/obj/vm-ext/machine/fast.o $(BUILD)/obj/vm-ext/machine/fused.o: VM_CXXFLAGS += $(HANDLER_FLAGS)

$(BUILD)/libcomet-vm.a: $(VM_OBJECTS)
	@echo "  ar     $@"
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/libcomet-vm.so: $(VM_OBJECTS) vm-ext/comet.map
	@echo "  link   $@"
	@$(CXX) $(VM_LDFLAGS) -shared -Wl,-soname,libcomet-vm.so.$(VM_ABI) -Wl,--version-script=vm-ext/comet.map -o $@ $(VM_OBJECTS)
	@ln -sf libcomet-vm.so $@.$(VM_ABI)

$(BUILD)/comet-vm-no-scheme: $(RUNNER_OBJECTS) $(BUILD)/libcomet-vm.a
	@echo "  link   $@"
	@$(CXX) $(VM_LDFLAGS) -o $@ $^ -lpthread

-include $(VM_OBJECTS:.o=.d) $(RUNNER_OBJECTS:.o=.d)

# The instruction list of the manual, below its last line that people write.
.PHONY: manual
manual: $(BUILD)/isa-README.md
	@cp $< vm-ext/isa/README.md

$(BUILD)/isa-manual: $(BUILD)/obj/vm-ext/isa/manual.o $(BUILD)/libcomet-vm.a
	@$(CXX) $(VM_LDFLAGS) -o $@ $^ -lpthread

$(BUILD)/isa-README.md: $(BUILD)/isa-manual vm-ext/isa/README.md
	@sed '/^<!-- generated from/q' vm-ext/isa/README.md >$@ && echo >>$@ && $< >>$@
