# Tests, fuzzing, benchmarks. Included by the Makefile for goals that need Gambit and Boost.

TESTS := $(BUILD)/tests
TEST_CXXFLAGS = $(filter-out -fvisibility=hidden -DCOMET_BUILD,$(VM_CXXFLAGS)) -I. -Ivm-ext

# What is counted is the library, so the tests themselves are those of the plain build.
TEST_OBJECT_FOLDER := $(if $(COVERAGE),$(PLAIN_BUILD),$(BUILD))/obj
CORE_TEST_OBJECTS := $(patsubst %.cpp,$(TEST_OBJECT_FOLDER)/%.o,$(wildcard tests/vm-ext/*.cpp))
CONFORMANCE_OBJECTS := $(patsubst %.cpp,$(TEST_OBJECT_FOLDER)/%.o,$(wildcard tests/conformance/*.cpp))
FUZZ_OBJECTS := $(patsubst %.cpp,$(TEST_OBJECT_FOLDER)/%.o,$(wildcard tests/fuzz/*.cpp tests/fuzz/api/*.cpp))

$(TEST_OBJECT_FOLDER)/tests/%.o: tests/%.cpp
	@mkdir -p $(@D)
	@echo "  c++    $<"
	@$(CXX) $(TEST_CXXFLAGS) -MMD -MP -c -o $@ $<

# Optimizing what runs once takes most of the time of a check. Fortified headers ask for it.
ifndef HARDENED
$(CORE_TEST_OBJECTS): OPTIMIZE := -O0
endif
$(TESTS)/core: $(CORE_TEST_OBJECTS) $(BUILD)/libcomet-vm.a
$(TESTS)/conformance: $(CONFORMANCE_OBJECTS) $(BUILD)/libcomet-vm.a

# What each target of the fuzzers consists of, besides the program that tries it: see tests/fuzz/README.md.
FUZZ_TARGETS := image-fuzz link-fuzz state-fuzz replay-fuzz api-fuzz races-fuzz lockstep turns
FUZZ_PARTS_image-fuzz := image_fuzz allocations damage random_program
FUZZ_PARTS_link-fuzz := link_fuzz allocations damage
FUZZ_PARTS_state-fuzz := state_fuzz state_files state_seeds allocations damage
FUZZ_PARTS_replay-fuzz := replay_fuzz state_files state_seeds allocations damage
FUZZ_PARTS_api-fuzz := api_fuzz $(patsubst tests/fuzz/%.cpp,%,$(wildcard tests/fuzz/api/*.cpp)) random_program
FUZZ_PARTS_races-fuzz := races_fuzz drawn_programs random_program
FUZZ_PARTS_lockstep := lockstep drawn_programs random_program
FUZZ_PARTS_turns := turns drawn_programs threaded_program state_files state_seeds allocations damage
FUZZ_TRIED_BY := $(if $(LIBFUZZER),libfuzzer,driver)
define fuzz_target
$(TESTS)/$1: $(patsubst %,$(BUILD)/obj/tests/fuzz/%.o,$(FUZZ_PARTS_$1) $(FUZZ_TRIED_BY)) $(BUILD)/libcomet-vm.a
endef
$(foreach target,$(FUZZ_TARGETS),$(eval $(call fuzz_target,$(target))))
$(addprefix $(TESTS)/,$(FUZZ_TARGETS)): VM_LDFLAGS += $(if $(LIBFUZZER),-fsanitize=fuzzer)
$(TESTS)/embedding: $(BUILD)/obj/tests/bench/embedding.o $(BUILD)/libcomet-vm.a
$(TESTS)/decoding: $(BUILD)/obj/tests/bench/decoding.o $(BUILD)/libcomet-vm.a
TEST_PROGRAMS := $(addprefix $(TESTS)/,core conformance $(FUZZ_TARGETS))
$(TEST_PROGRAMS) $(TESTS)/embedding $(TESTS)/decoding:
	@mkdir -p $(@D)
	@echo "  link   $@"
	@$(CXX) $(VM_LDFLAGS) -o $@ $^ -lpthread

-include $(CORE_TEST_OBJECTS:.o=.d) $(CONFORMANCE_OBJECTS:.o=.d) $(FUZZ_OBJECTS:.o=.d) $(wildcard $(BUILD)/obj/tests/bench/*.d)

.PHONY: test-programs
test-programs: $(TEST_PROGRAMS)
	@:

# Speed, as ratios to what else the machine has. ENGINES="NAME='COMMAND' …" adds others; see bench.sh. WASM="…": see wasm.sh.
ROUNDS ?= 5
.PHONY: bench
bench: $(BUILD)/comet-vm $(BUILD)/comet-vm-no-scheme $(BUILD)/libcomet-vm.so
	@BUILD=$(abspath $(BUILD)) tests/bench/bench.sh -r $(ROUNDS) $(ENGINES)
	@$(MAKE) --no-print-directory -s $(TESTS)/decoding
	@BUILD=$(abspath $(BUILD)) tests/bench/starting.sh
	@BUILD=$(abspath $(BUILD)) tests/bench/wasm.sh $(WASM)
	@BUILD=$(abspath $(BUILD)) tests/bench/assembler.sh
	@BUILD=$(abspath $(BUILD)) tests/bench/debugger.sh
	@$(MAKE) --no-print-directory -s $(TESTS)/embedding && $(TESTS)/embedding

# The sequences of instructions that get handlers of their own; see vm-ext/machine/README.md. How many: the library
# grows by 200 bytes for each, and twice as many would save programs unlike those of the profile a thirtieth of their
# jumps. `make fused` chooses anew; that the tree has what it would choose is a suite.
FUSED_SEQUENCES := 200
FUSED_PAIRS := 80
FUSING := vm-ext/machine/fusing
TRAINING := $(BUILD)/training
TRAINING_SOURCES := $(wildcard tests/training/*.s tests/training/*.wasm) examples/queens.s examples/life.s
TRAINING_IMAGES := $(addprefix $(TRAINING)/,$(addsuffix .img,$(basename $(notdir $(TRAINING_SOURCES)))))
.PHONY: fused
fused: $(TRAINING)/fused.def
	@cp $(TRAINING)/training.profile $(FUSING)/training.profile
	@cp $< vm-ext/machine/fused.def

$(TRAINING)/%.img: tests/training/%.s $(BUILD)/comet-vm
	@mkdir -p $(@D)
	@$(BUILD)/comet-vm asm $< -o $@
$(TRAINING)/%.img: tests/training/%.wasm $(BUILD)/comet-vm
	@mkdir -p $(@D)
	@$(BUILD)/comet-vm image $< -o $@
$(TRAINING)/%.img: examples/%.s $(BUILD)/comet-vm
	@mkdir -p $(@D)
	@$(BUILD)/comet-vm asm $< -o $@
$(TRAINING)/profile: $(FUSING)/profile.cpp $(BUILD)/libcomet-vm.a
	@mkdir -p $(@D)
	@$(CXX) $(TEST_CXXFLAGS) -o $@ $^ $(VM_LDFLAGS) -lpthread
$(TRAINING)/choose: $(FUSING)/choose.cpp
	@mkdir -p $(@D)
	@$(CXX) $(TEST_CXXFLAGS) -o $@ $^ $(VM_LDFLAGS)
$(TRAINING)/training.profile: $(TRAINING)/profile $(TRAINING_IMAGES)
	@$(TRAINING)/profile $@ $(TRAINING_IMAGES) </dev/null >/dev/null
$(TRAINING)/fused.def: $(TRAINING)/choose $(TRAINING)/training.profile
	@$(TRAINING)/choose $(FUSED_SEQUENCES) $(FUSED_PAIRS) <$(TRAINING)/training.profile >$@

# How much of the speed comes from training programs that are near the benchmarks: see leave-one-out.sh.
.PHONY: bench-leave-one-out
bench-leave-one-out: $(BUILD)/comet-vm $(BUILD)/comet-vm-no-scheme $(TRAINING)/choose
	@BUILD=$(abspath $(BUILD)) CHOOSE="$(abspath $(TRAINING))/choose $(FUSED_SEQUENCES) $(FUSED_PAIRS)" \
	  COMPILE="$(CXX) $(VM_CXXFLAGS) $(HANDLER_FLAGS)" LINK="$(CXX) $(VM_LDFLAGS)" RUNNER="$(abspath $(RUNNER_OBJECTS))" \
	  ROUNDS=$(ROUNDS) tests/bench/leave-one-out.sh

# What `make check` runs once all is built. Suites find what was built through BUILD.
SANITIZED := $(BUILD)/sanitize/tests

# The core's tests once more, checked for addresses and undefined behaviour.
.PHONY: sanitized-programs
sanitized-programs:
	+@$(MAKE) --no-print-directory SANITIZE=address,undefined test-programs

# Machines side by side, and threads of one machine, checked for races of the host's threads.
RACES := $(addprefix $(BUILD)/obj/tests/vm-ext/,main.o support.o state_files.o independent_test.o parallel_test.o)
$(TESTS)/races: $(RACES) $(BUILD)/libcomet-vm.a
	@mkdir -p $(@D)
	@echo "  link   $@"
	@$(CXX) $(VM_LDFLAGS) -o $@ $^ -lpthread
.PHONY: races
races:
	+@$(MAKE) --no-print-directory SANITIZE=thread $(BUILD)/races/tests/races
	@$(BUILD)/races/tests/races

.PHONY: coverage-programs coverage-tests
coverage-tests: $(TESTS)/core $(TESTS)/conformance
	@:
# Behind the plain ones, whose objects it uses.
coverage-programs: test-programs
	+@$(MAKE) --no-print-directory COVERAGE=1 coverage-tests

# What the core's suites reach of it: see tests/coverage/run.sh.
.PHONY: coverage
coverage: $(TESTS)/cases coverage-programs
	@BUILD=$(BUILD) tests/coverage/run.sh

$(TESTS)/cases: $(wildcard tests/conformance/*.scm) vm-ext/isa/instructions.def
	@mkdir -p $(@D)
	@$(GSI) -:dar1- tests/conformance/generate.scm vm-ext/isa/instructions.def $@ </dev/null

# A few images for the fuzzer to begin from.
FUZZ_IMAGES := $(addprefix $(TESTS)/images/,hello.img sieve.img queens.img sha256.img defined.img)
$(TESTS)/images/defined.img: tests/asm/defined.s $(BUILD)/comet-vm
	@mkdir -p $(@D)
	@$(BUILD)/comet-vm asm $< -o $@
$(TESTS)/images/%.img: examples/%.s $(BUILD)/comet-vm
	@mkdir -p $(@D)
	@$(BUILD)/comet-vm asm $< -o $@

# A portable build has no fused handlers.
ifndef PORTABLE
FUSED_SUITE = fused 'make --no-print-directory -s $(TRAINING)/fused.def && cmp $(TRAINING)/fused.def vm-ext/machine/fused.def \
  && cmp $(TRAINING)/training.profile $(FUSING)/training.profile && echo "1 passed, 0 failed"'
endif

.PHONY: test-suites
test-suites: $(TESTS)/cases $(FUZZ_IMAGES) sanitized-programs coverage-programs
	@BUILD=$(BUILD) tests/run-suites.sh $(BUILD)/check \
	  manual 'make --no-print-directory -s $(BUILD)/isa-README.md && cmp $(BUILD)/isa-README.md vm-ext/isa/README.md && echo "1 passed, 0 failed"' \
	  $(FUSED_SUITE) \
	  core '$(TESTS)/core --report_level=short' \
	  core-sanitized '$(SANITIZED)/core --report_level=short' \
	  conformance '$(TESTS)/conformance $(TESTS)/cases $(BUILD)/check/coverage.md' \
	  conformance-sanitized '$(SANITIZED)/conformance $(TESTS)/cases $(BUILD)/check/coverage-sanitized.md' \
	  lockstep '$(TESTS)/lockstep 1 0 800' \
	  lockstep-sanitized '$(SANITIZED)/lockstep 2 0 40' \
	  turns '$(TESTS)/turns 1 0 150' \
	  turns-sanitized '$(SANITIZED)/turns 2 0 15' \
	  fuzz-links '$(SANITIZED)/link-fuzz 1 0 3000' \
	  fuzz-images '$(SANITIZED)/image-fuzz 1 0 3000 $(FUZZ_IMAGES)' \
	  fuzz-states '$(SANITIZED)/state-fuzz 1 0 2000' \
	  fuzz-replays '$(SANITIZED)/replay-fuzz 1 0 1000' \
	  fuzz-api '$(SANITIZED)/api-fuzz 1 0 50' \
	  fuzz-races '$(SANITIZED)/races-fuzz 1 0 60' \
	  fuzz-left-behind 'tests/fuzz/left-behind.sh 1 150' \
	  coverage 'tests/coverage/run.sh' \
	  error-texts 'tests/error-texts.sh' \
	  promises 'tests/promises.sh' \
	  hardened 'tests/embed/hardened.sh $(BUILD)' \
	  embed 'tests/embed/test.sh' \
	  scheme 'tests/scheme/run.sh' \
	  asm-source 'tests/asm/run.sh' \
	  asm '$(BUILD)/comet-vm test tests/asm/run.scm' \
	  binary-tools 'tests/asm/tools.sh' \
	  editors 'tests/editors.sh' \
	  fuzz-sources 'SEED=1 COUNT=2000 tests/asm/run.sh fuzz.scm' \
	  travel 'SEED=1 COUNT=60 $(BUILD)/comet-vm test tests/travel/travel.scm' \
	  fuzz-binaries 'SEED=1 COUNT=300 $(BUILD)/comet-vm test tests/asm/fuzz-binaries.scm' \
	  examples 'tests/examples/run.sh' \
	  pages 'tests/pages.sh' \
	  repl 'tests/repl/run.sh' \
	  loaders 'tests/loaders/run.sh' \
	  dap 'tests/dap/run.sh'

# The long runs. What the targets are, and where what they find is kept: tests/fuzz/README.md.
TIME ?= 60
SEED ?= 1
TARGETS ?= image link state replay api races lockstep turns left-behind objects sources wasm travel
.PHONY: fuzz fuzz-libfuzzer libfuzzer-programs
fuzz: $(FUZZ_IMAGES) test-programs sanitized-programs
	@BUILD=$(BUILD) tests/fuzz/run.sh seeds $(TIME) $(SEED) $(TARGETS)

# Needs clang with its libFuzzer: the first of these that there is.
CLANG := $(firstword $(shell command -v clang++ clang++-19 clang++-18 clang++-17 clang++-16 clang++-15 clang++-14 2>/dev/null))
LIBFUZZER_TARGETS := image link state replay api
fuzz-libfuzzer: TARGETS = $(LIBFUZZER_TARGETS)
fuzz-libfuzzer: $(FUZZ_IMAGES) test-programs libfuzzer-programs
	@BUILD=$(BUILD) tests/fuzz/run.sh libfuzzer $(TIME) $(SEED) $(TARGETS)
libfuzzer-programs:
	$(if $(CLANG),,@echo 'make fuzz-libfuzzer needs clang, which has libFuzzer: apt-get install clang-14, or `make deps`.' \
	  'Without it, `make fuzz` draws inputs from seeds.' >&2; exit 1)
	+@$(MAKE) --no-print-directory LIBFUZZER=$(CLANG) $(LIBFUZZER_TARGETS:%=$(BUILD)/libfuzzer/tests/%-fuzz)
