# Tests, fuzzing, benchmarks. Included by the Makefile for goals that need Gambit and Boost.

TESTS := $(BUILD)/tests
TEST_CXXFLAGS = $(filter-out -fvisibility=hidden -DCOMET_BUILD,$(VM_CXXFLAGS)) -I. -Ivm-ext

# What is counted is the library, so the tests themselves are those of the plain build.
TEST_OBJECT_FOLDER := $(if $(COVERAGE),$(PLAIN_BUILD),$(BUILD))/obj
CORE_TEST_OBJECTS := $(patsubst %.cpp,$(TEST_OBJECT_FOLDER)/%.o,$(wildcard tests/vm-ext/*.cpp))
CONFORMANCE_OBJECTS := $(patsubst %.cpp,$(TEST_OBJECT_FOLDER)/%.o,$(wildcard tests/conformance/*.cpp))
FUZZ_OBJECTS := $(patsubst %.cpp,$(TEST_OBJECT_FOLDER)/%.o,$(wildcard tests/fuzz/*.cpp))

$(TEST_OBJECT_FOLDER)/tests/%.o: tests/%.cpp
	@mkdir -p $(@D)
	@echo "  c++    $<"
	@$(CXX) $(TEST_CXXFLAGS) -MMD -MP -c -o $@ $<

$(TESTS)/core: $(CORE_TEST_OBJECTS) $(BUILD)/libcomet-vm.a
$(TESTS)/conformance: $(CONFORMANCE_OBJECTS) $(BUILD)/libcomet-vm.a
$(TESTS)/image-fuzz: $(BUILD)/obj/tests/fuzz/image_fuzz.o $(BUILD)/libcomet-vm.a
$(TESTS)/state-fuzz: $(BUILD)/obj/tests/fuzz/state_fuzz.o $(BUILD)/libcomet-vm.a
FUZZ_PROGRAMS := $(BUILD)/obj/tests/fuzz/random_program.o
$(TESTS)/api-fuzz: $(addprefix $(BUILD)/obj/tests/fuzz/,api_fuzz.o api_calls.o) $(FUZZ_PROGRAMS) $(BUILD)/libcomet-vm.a
$(TESTS)/lockstep: $(BUILD)/obj/tests/fuzz/lockstep.o $(FUZZ_PROGRAMS) $(BUILD)/libcomet-vm.a
$(TESTS)/embedding: $(BUILD)/obj/tests/bench/embedding.o $(BUILD)/libcomet-vm.a
TEST_PROGRAMS := $(addprefix $(TESTS)/,core conformance image-fuzz state-fuzz api-fuzz lockstep)
$(TEST_PROGRAMS) $(TESTS)/embedding:
	@mkdir -p $(@D)
	@echo "  link   $@"
	@$(CXX) $(VM_LDFLAGS) -o $@ $^ -lpthread

-include $(CORE_TEST_OBJECTS:.o=.d) $(CONFORMANCE_OBJECTS:.o=.d) $(FUZZ_OBJECTS:.o=.d)

.PHONY: test-programs
test-programs: $(TEST_PROGRAMS)
	@:

# Speed, as ratios to what else the machine has. ENGINES="NAME='COMMAND' …" adds others; see bench.sh. WASM="…": see wasm.sh.
ROUNDS ?= 5
.PHONY: bench
bench: $(BUILD)/comet-vm $(BUILD)/comet-vm-no-scheme
	@BUILD=$(abspath $(BUILD)) tests/bench/bench.sh -r $(ROUNDS) $(ENGINES)
	@BUILD=$(abspath $(BUILD)) tests/bench/starting.sh
	@BUILD=$(abspath $(BUILD)) tests/bench/wasm.sh $(WASM)
	@BUILD=$(abspath $(BUILD)) tests/bench/assembler.sh
	@BUILD=$(abspath $(BUILD)) tests/bench/debugger.sh
	@$(MAKE) --no-print-directory -s $(TESTS)/embedding && $(TESTS)/embedding

# The sequences of instructions that get handlers of their own; see vm-ext/machine/README.md. How many: the library
# grows by 300 bytes for each. `make fused` chooses anew; that the tree has what it would choose is a suite.
FUSED_SEQUENCES := 350
FUSED_PAIRS := 120
FUSING := vm-ext/machine/fusing
TRAINING := $(BUILD)/training
TRAINING_SOURCES := $(wildcard tests/training/*.s) examples/queens.s examples/life.s
TRAINING_IMAGES := $(addprefix $(TRAINING)/,$(addsuffix .img,$(basename $(notdir $(TRAINING_SOURCES)))))
.PHONY: fused
fused: $(TRAINING)/fused.def
	@cp $(TRAINING)/training.profile $(FUSING)/training.profile
	@cp $< vm-ext/machine/fused.def

$(TRAINING)/%.img: tests/training/%.s $(BUILD)/comet-vm
	@mkdir -p $(@D)
	@$(BUILD)/comet-vm asm $< -o $@
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
	  lockstep '$(TESTS)/lockstep 1 800' \
	  lockstep-sanitized '$(SANITIZED)/lockstep 100001 40' \
	  fuzz-images '$(SANITIZED)/image-fuzz 1 3000 $(FUZZ_IMAGES)' \
	  fuzz-states '$(SANITIZED)/state-fuzz 1 3000' \
	  fuzz-api '$(SANITIZED)/api-fuzz 1 50' \
	  fuzz-left-behind 'tests/fuzz/left-behind.sh 1 150' \
	  errors-reached 'tests/errors-reached.sh' \
	  error-texts 'tests/error-texts.sh' \
	  promises 'tests/promises.sh' \
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

# The long run: damaged images and states, and programs in lockstep, under the sanitizers; damaged sources; damaged
# objects, archives and images given to every tool; and programs in which the debugger goes back and forth.
SEED ?= 1
COUNT ?= 100000
.PHONY: fuzz
fuzz: $(FUZZ_IMAGES) sanitized-programs
	$(SANITIZED)/image-fuzz $(SEED) $(COUNT) $(FUZZ_IMAGES)
	$(SANITIZED)/state-fuzz $(SEED) $(COUNT)
	$(SANITIZED)/api-fuzz $(SEED) $(COUNT)
	BUILD=$(BUILD) tests/fuzz/left-behind.sh $(SEED) $(COUNT)
	$(SANITIZED)/lockstep $(SEED) $(COUNT)
	SEED=$(SEED) COUNT=$(COUNT) $(BUILD)/comet-vm test tests/asm/fuzz.scm
	SEED=$(SEED) COUNT=$(COUNT) $(BUILD)/comet-vm test tests/scheme/wasm-fuzz.scm
	SEED=$(SEED) COUNT=$(COUNT) $(BUILD)/comet-vm test tests/asm/fuzz-binaries.scm
	SEED=$(SEED) COUNT=$$(($(COUNT) / 20)) $(BUILD)/comet-vm test tests/travel/travel.scm
