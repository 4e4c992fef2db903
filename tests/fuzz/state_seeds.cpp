// States and recordings of a program that has a bit of everything.
#include <cstring>

#include "state_files.h"
#include "vm-ext/comet.hpp"

namespace fuzz {
namespace {

using comet::n;
using comet::r;
using comet::to;

constexpr std::uint64_t origin = 0x10000, data = 0x20000, file_place = data + 1024;
constexpr std::uint64_t posted = 5, traps = 6, divide = 7, never = UINT64_MAX;
constexpr const char* calls[] = {"random", "ask", "spawn", "join", "wait64", "notify", "on", "yield", "timer", "map", "file_open"};
constexpr char file_name[] = "Makefile";  // in the working directory, if it is there

// Writes code by and by.
class program {
 public:
  comet::image image() {
    write_main();
    write_workers();
    write_handlers();
    comet::image made;
    made.section(".text", origin, code_.finish(), COMET_READ | COMET_EXECUTE);
    made.section(".data", data, {}, COMET_READ | COMET_WRITE, 0x30000);
    made.symbol("main", origin).symbol("data", data).entry(origin);
    for (const char* name : calls) made.import(name);
    const std::uint8_t nop[] = {0, 1, 1};
    const comet_definition own = {sizeof own, "own", 1024, "", "nothing", nop, sizeof nop, nullptr};
    comet::detail::checked(comet_image_add_instruction, made.get(), &own);
    return made;
  }

 private:
  // With up to three arguments, which are numbers or labels; base register 10.
  void call(const char* name, std::initializer_list<comet::operand> arguments) {
    unsigned number = 11;
    for (const comet::operand& argument : arguments) code_.emit("imm", {r(number++), argument});
    std::uint64_t index = 0;
    while (std::strcmp(calls[index], name) != 0) ++index;
    code_.emit("hcall", {r(10), n(index)});
  }

  // Draws, asks, divides by zero, calls itself, lets others go first.
  void write_main() {
    call("file_open", {n(3), n(file_place), n(sizeof file_name - 1), n(1)});
    call("on", {n(posted), n(1), to(handler_), n(7)});
    call("on", {n(traps), n(divide), to(trap_handler_), n(0)});
    call("timer", {n(3), n(never), n(0)});
    call("spawn", {to(worker_), n(1)});
    call("spawn", {to(worker_), n(2)});
    call("spawn", {to(waiter_), n(0)});
    const comet_label loop = code_.here();
    call("random", {n(data + 256), n(9)});
    call("ask", {n(4)});
    code_.emit("imm", {r(2), n(data)}).emit("div_u", {r(3), r(2), r(0)}).emit("st64", {r(2), r(11), n(8)});
    code_.emit("tset", {comet::t(3), r(11)});
    call("yield", {});
    code_.emit("addi", {r(1), r(1), n(1)}).emit("bnei", {r(1), n(3), to(skip_)}).emit("call", {r(20), to(loop)}).emit("ret");
    code_.place(skip_).emit("call", {r(20), to(again_)}).place(again_).emit("jump", {to(loop)});
  }

  void write_workers() {
    code_.place(worker_).emit("imm", {r(2), n(data + 64)}).emit("imm", {r(3), n(40)});
    const comet_label loop = code_.here();
    code_.emit("aadd64", {r(4), r(2), r(1)}).emit("addi", {r(3), r(3), n(-1)});
    call("ask", {n(1)});
    code_.emit("bnei", {r(3), n(0), to(loop)});
    call("notify", {n(data + 128), n(1)});
    code_.emit("ret");
    code_.place(waiter_);
    call("wait64", {n(data + 128), n(0), n(never)});
    code_.emit("ret");
  }

  void write_handlers() {
    code_.place(handler_).emit("imm", {r(6), n(data + 192)}).emit("st64", {r(6), r(3), n(0)}).emit("ret");
    code_.place(trap_handler_).emit("imm", {r(1), n(2)}).emit("ret");
  }

  comet::code code_{origin};
  const comet_label worker_ = code_.label(), waiter_ = code_.label(), handler_ = code_.label(),
                    trap_handler_ = code_.label(), skip_ = code_.label(), again_ = code_.label();
};

void begin(comet_machine* machine, const comet::image& image) {
  const char* const arguments[] = {"program", "argument"};
  const char* const environment[] = {"A=1"};
  comet::detail::checked(comet_image_load, image.get(), machine, comet_space{0});
  comet::detail::checked(comet_write, machine, comet_space{0}, file_place, static_cast<const void*>(file_name), sizeof file_name);
  comet::detail::checked(comet_set_arguments, machine, std::size_t{2}, arguments);
  comet::detail::checked(comet_set_environment, machine, std::size_t{1}, environment);
  comet::detail::checked(comet_schedule_set, machine, std::uint64_t{7}, std::uint64_t{3});
  comet_set_random_seed(machine, 1);
}

// A space that has some of the program's pages, and a thread in it.
void add_space(comet_machine* machine) {
  comet_space space = 0;
  comet_thread thread = 0;
  comet::detail::checked(comet_space_new, machine, &space);
  comet::detail::checked(comet_share, machine, comet_space{0}, origin, std::uint64_t{2 * COMET_PAGE_SIZE}, space, origin,
                         int{COMET_READ | COMET_EXECUTE});
  comet::detail::checked(comet_share, machine, comet_space{0}, data + COMET_PAGE_SIZE, std::uint64_t{COMET_PAGE_SIZE}, space,
                         std::uint64_t{0x7000'0000'0000}, int{COMET_READ | COMET_WRITE});
  comet::detail::checked(comet_map, machine, space, std::uint64_t{0x80000}, std::uint64_t{0x20000}, int{COMET_READ});
  comet::detail::checked(comet_thread_new, machine, space, origin, &thread);
}

bytes save(const comet_machine* machine, const comet_save_options& options, comet_state** kept = nullptr) {
  bytes file;
  comet::detail::checked(comet_state_save, machine, &options, append, static_cast<void*>(&file), kept);
  return file;
}

}  // namespace

machine_pointer make_machine() {
  comet_config config = COMET_CONFIG_INIT;
  config.window = 1 << 22;
  config.memory_limit = 1 << 22;
  config.register_limit = 1 << 12;
  config.call_depth_limit = 1 << 8;
  comet_machine* made = nullptr;
  comet::detail::checked(comet_machine_new, &config, &made);
  for (unsigned stream = 0; stream < 3; ++stream) comet_set_stream(made, stream, COMET_STREAM_NONE, nullptr);
  for (const char* group : {"clock", "random"}) comet_host_grant_standard(made, group, nullptr);
  comet_host_grant(made, "ask", nullptr, nullptr, nullptr);
  comet_grant_directory(made, ".", "/", COMET_READ, nullptr);
  return machine_pointer(made);
}

void run_on(comet_machine* machine, std::uint64_t fuel) {
  int patience = 30;  // milliseconds
  comet_set_poll(machine, [](void* left) { return --*static_cast<int*>(left) < 0 ? 1 : 0; }, &patience);
  comet_stop stop = COMET_STOP_INIT;
  while (comet_run(machine, COMET_EVERY_THREAD, fuel, &stop, nullptr) == COMET_OK && stop.reason == COMET_HOST_CALL &&
         fuel > stop.executed) {
    fuel -= stop.executed + 1;
    comet_thread thread = 0;
    std::uint32_t index = 0;
    if (comet_host_waiting(machine, 0, &thread, &index, nullptr) != COMET_OK) break;
    comet_host_write(machine, thread, data + 512 + 8 * thread, &fuel, sizeof fuel, nullptr);
    comet_host_complete(machine, thread, fuel, nullptr);
  }
  comet_set_poll(machine, nullptr, nullptr);
}

std::vector<bytes> saved_states() {
  std::vector<bytes> files;
  const comet::image image = program().image();
  const machine_pointer machine = make_machine();
  begin(machine.get(), image);
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.image = image.get();
  comet_state* first = nullptr;
  files.push_back(save(machine.get(), options, &first));
  const state_pointer kept(first);
  options.image_hash_only = 1;
  for (const std::uint64_t fuel : {30, 60, 200, 500}) {
    run_on(machine.get(), fuel);
    if (fuel == 200) add_space(machine.get());
    comet_post_event(machine.get(), COMET_ON_POSTED, 1, fuel);
    comet_stop stop = COMET_STOP_INIT;
    comet_run(machine.get(), COMET_EVERY_THREAD, 1, &stop, nullptr);
    options.stop = &stop;
    options.thread = stop.thread;
    files.push_back(save(machine.get(), options));
  }
  options.base = kept.get();
  options.stop = nullptr;
  files.push_back(save(machine.get(), options));
  return files;
}

std::vector<bytes> recordings() {
  std::vector<bytes> files;
  const comet::image image = program().image();
  for (const std::uint64_t rounds : {2, 6}) {
    const machine_pointer machine = make_machine();
    begin(machine.get(), image);
    comet::detail::checked(comet_timeline_start, machine.get(), std::uint64_t{1 << 20});
    comet_save_options options = COMET_SAVE_OPTIONS_INIT;
    options.image = image.get();
    bytes file;
    comet::detail::checked(comet_record_start, machine.get(), &options, append, static_cast<void*>(&file));
    for (std::uint64_t round = 0; round < rounds; ++round) {
      run_on(machine.get(), 150);
      comet_post_event(machine.get(), COMET_ON_POSTED, 1, round);
    }
    comet_stop stop = COMET_STOP_INIT;
    comet_run(machine.get(), COMET_EVERY_THREAD, 3, &stop, nullptr);
    options.stop = &stop;
    options.thread = stop.thread;
    comet_record_stop(machine.get(), &options, nullptr);
    files.push_back(file);
  }
  files.push_back(files.back());
  files.back().resize(files.back().size() * 3 / 4);
  return files;
}

}  // namespace fuzz
